#pragma once

#include <fmt/format.h>

#include <utility>

#include "caravel/error.h"

namespace caravel {

/// throw fail<FormatError>("{}: tensor {} ends at {}, the file at {}", path, name, end, size);
template <typename E, typename... Args>
E fail(fmt::format_string<Args...> format, Args&&... args) {
  return E(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace caravel
