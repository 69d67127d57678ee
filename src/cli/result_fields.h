#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fields/json.h"

namespace caravel::cli {

/// Which fields the results of rows have beside those that all have: id, index, finish_reason, digest, and error.
class ResultFields {
 public:
  /// Those that are there where none are asked for: all but token_ids.
  ResultFields();
  /// names: of names().
  explicit ResultFields(std::vector<std::string> asked) : kept_(std::move(asked)), asked_(true) {}

  /// What may be asked for.
  static const std::vector<std::string>& names();

  /// `result`, which may have more, with these alone.
  Json pick(Json result) const;
  /// An answer that was written before lacks one that is asked for.
  bool missing_in(const Json& result) const;

 private:
  bool has(std::string_view name) const;

  std::vector<std::string> kept_;
  bool asked_ = false;
};

}  // namespace caravel::cli
