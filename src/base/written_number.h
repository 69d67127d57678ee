#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace caravel {

/// A number of a JSON text as it was written, where neither 64 bits nor a double hold it: an integer of many digits, or
/// a decimal that a double would round. nlohmann has no kind of value for one; it stands as binary data, which JSON
/// texts never have. What writes such a value (to_text of fields/json.h, templates, grammars) writes its text.
inline nlohmann::ordered_json written_number(std::string_view text) {
  return nlohmann::ordered_json::binary(std::vector<uint8_t>(text.begin(), text.end()));
}

inline bool is_written_number(const nlohmann::ordered_json& value) { return value.is_binary(); }

/// value: a written number.
inline std::string written_text(const nlohmann::ordered_json& value) {
  const auto& bytes = value.get_binary();
  return {bytes.begin(), bytes.end()};
}

/// A written number of digits alone, but for its sign.
bool is_written_integer(const nlohmann::ordered_json& value);

/// The double nearest to a written number.
double nearest_double(const nlohmann::ordered_json& value);

/// What a JSON text's `text` is, a number that is no integer of 64 bits: `nearest`, the double that it reads as, where
/// that is written with the same digits, else the number as it was written.
nlohmann::ordered_json as_written(double nearest, std::string_view text);

}  // namespace caravel
