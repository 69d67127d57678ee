#pragma once

#include <string>
#include <string_view>

namespace caravel::format {

/// What a clone without Git LFS has in place of a large file is a few lines that name it. Throws FormatError where
/// `content` is such, saying how to get the file.
void refuse_lfs_pointer(std::string_view content, const std::string& path);

}  // namespace caravel::format
