#include "http/target.h"

#include <algorithm>

#include "base/numbers.h"
#include "http/request_reader.h"
#include "http/text.h"

namespace caravel::http {
namespace {

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0)
      throw BadRequest(400, "malformed path: '%' is not followed by two hexadecimal digits", "bad_path");
    if (high == 0 && low == 0) throw BadRequest(400, "malformed path: it holds a NUL", "bad_path");
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

}  // namespace

Target split_target(std::string_view target) {
  if (target == "*") return {.path = "*", .query = ""};
  std::string_view authority;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_without_case(target.substr(0, scheme.size()), scheme)) continue;
    const size_t end = std::min(target.find_first_of("/?", scheme.size()), target.size());
    authority = target.substr(scheme.size(), end - scheme.size());
    target = end == target.size() ? "/" : target.substr(end);
    if (target.front() == '?')
      return {.authority = std::string(authority), .path = "/", .query = std::string(target.substr(1))};
    break;
  }
  if (target.empty() || target.front() != '/')
    throw BadRequest(400, "malformed request: its target is not a path", "bad_path");
  const size_t question = target.find('?');
  return {.authority = std::string(authority),
          .path = percent_decoded(target.substr(0, question)),
          .query = question == target.npos ? "" : std::string(target.substr(question + 1))};
}

}  // namespace caravel::http
