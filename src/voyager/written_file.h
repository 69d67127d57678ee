#pragma once

#include <string>
#include <string_view>

namespace caravel::voyager {

/// The file holds `content` and nothing else; a link of that name is replaced, not followed. Throws IoError.
void write_file(const std::string& path, std::string_view content);

/// Removes a link of that name, whatever it leads to.
void remove_link(const std::string& path);

/// The folder, and those that it lies in, where they are not there. Throws IoError.
void make_folders(const std::string& path);

/// Removes what a killed process left of files that it was writing into the folder: ".caravel-" and 24 letters and
/// digits, as cli/output_file.h names them. What cannot be removed stays.
void remove_unfinished_files(const std::string& folder);

}  // namespace caravel::voyager
