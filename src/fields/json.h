#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace caravel {

/// Keys keep the order in which the client wrote them: schemas and templates depend on it.
using Json = nlohmann::ordered_json;
}  // namespace caravel

// Compiled once, in json.cc: it is a tenth of what each file that uses it would take.
extern template class nlohmann::basic_json<nlohmann::ordered_map>;

namespace caravel {

inline constexpr size_t kMaxJsonDepth = 64;

/// As read_json(), of a body: numbers that nothing else holds keep their text (base/written_number.h). Throws
/// FormatError: not UTF-8, not JSON, deeper than kMaxJsonDepth, a key twice in one object.
Json parse_json(std::string_view body);

/// 0.2 for the float next to it, which is 0.20000000298 as a double.
double as_written(float value);

/// Without spaces; numbers as they were written; what is no UTF-8 becomes U+FFFD.
std::string to_text(const Json& json);

}  // namespace caravel
