#pragma once

#include <string>
#include <string_view>

namespace caravel::voyager {

/// The file holds `content` and nothing else. Throws IoError.
void write_file(const std::string& path, std::string_view content);

/// The folder, and those that it lies in, where they are not there. Throws IoError.
void make_folders(const std::string& path);

}  // namespace caravel::voyager
