#pragma once

#include <fmt/format.h>

#include <string>

#include "fields/fields.h"

namespace caravel {

/// What is wrong with a list that must have an item, in OpenAI's words.
inline FieldError empty_array(const std::string& path) {
  return {
      path, "empty_array",
      fmt::format("Invalid '{}': empty array. Expected an array with minimum length 1, but got an empty array instead.",
                  path)};
}

}  // namespace caravel
