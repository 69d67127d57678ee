#pragma once

#include <string>
#include <string_view>

namespace caravel::http {

struct Target {
  std::string authority = {};  // of a target that is a whole URL
  std::string path;            // percent-decoded
  std::string query;           // as it came, without the '?'
};

/// Splits a request's target: "/path?query", "http://host/path?query" or "*". Throws BadRequest for a '%' that is
/// not followed by two hexadecimal digits, for one that stands for NUL, and for any other form.
Target split_target(std::string_view target);

}  // namespace caravel::http
