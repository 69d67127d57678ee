#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace caravel {

/// Keys keep the order in which the client wrote them: schemas and templates depend on it.
using Json = nlohmann::ordered_json;

inline constexpr size_t kMaxJsonDepth = 64;

/// Integers that 64 bits do not hold keep their digits (base/wide_integer.h). Takes time in proportion to the body (but
/// for sorting keys), whatever it holds. Throws FormatError: not UTF-8, not JSON, deeper than kMaxJsonDepth, a key
/// twice in one object.
Json parse_json(std::string_view body);

/// Without spaces; wide integers as they were written; what is no UTF-8 becomes U+FFFD.
std::string to_text(const Json& json);

}  // namespace caravel
