#include "server/api_keys.h"

#include <optional>

#include "http/text.h"

namespace caravel::server {
namespace {

/// Without a branch on any byte; `key` is not empty.
bool equal_in_constant_time(std::string_view shown, std::string_view key) {
  volatile size_t difference = shown.size() ^ key.size();
  for (size_t i = 0; i < shown.size(); ++i) {
    difference = difference | static_cast<size_t>(static_cast<unsigned char>(shown[i] ^ key[i % key.size()]));
  }
  return difference == 0;
}

}  // namespace

bool ApiKeys::is_key(std::string_view shown) const {
  bool found = false;
  for (const std::string& key : keys_) found |= equal_in_constant_time(shown, key);
  return found;
}

bool ApiKeys::accept(const http::Headers& headers) const {
  if (const auto key = headers.find("x-api-key"); key && is_key(*key)) return true;
  constexpr std::string_view kScheme = "bearer ";
  const std::optional<std::string_view> shown = headers.find("Authorization");
  if (!shown || !http::equal_without_case(shown->substr(0, kScheme.size()), kScheme)) return false;
  return is_key(http::trimmed(shown->substr(kScheme.size())));
}

}  // namespace caravel::server
