#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace caravel {

/// An integer of a JSON text that 64 bits do not hold, as the digits it was written with ("-" and digits). nlohmann has
/// no kind of value for one; it stands as binary data, which JSON texts never have. Whoever writes such a value
/// (to_text of fields/json.h, templates) writes the digits.
inline nlohmann::ordered_json wide_integer(std::string_view digits) {
  return nlohmann::ordered_json::binary(std::vector<uint8_t>(digits.begin(), digits.end()));
}

inline bool is_wide_integer(const nlohmann::ordered_json& value) { return value.is_binary(); }

/// value: a wide integer.
inline std::string wide_integer_digits(const nlohmann::ordered_json& value) {
  const auto& bytes = value.get_binary();
  return {bytes.begin(), bytes.end()};
}

}  // namespace caravel
