#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/http.h"

namespace caravel::server {

/// The keys that clients may show, in `Authorization: Bearer KEY` (OpenAI) or `x-api-key: KEY` (Anthropic). Immutable.
class ApiKeys {
 public:
  explicit ApiKeys(std::vector<std::string> keys) : keys_(std::move(keys)) {}

  bool empty() const { return keys_.empty(); }
  /// Takes time by the length of what was shown and the number of keys alone: nothing is learnt from a near miss.
  bool accept(const http::Headers& headers) const;

 private:
  bool is_key(std::string_view shown) const;

  std::vector<std::string> keys_;
};

}  // namespace caravel::server
