#pragma once

#include <string_view>

namespace caravel {

/// A file that lies in the binary (cmake/CaravelEmbed.cmake).
struct EmbeddedFile {
  std::string_view name;  // without its folder
  std::string_view bytes;
};

}  // namespace caravel
