#include "format/lfs_pointer.h"

#include "base/error.h"

namespace caravel::format {

void refuse_lfs_pointer(std::string_view content, const std::string& path) {
  if (content.starts_with("version https://git-lfs.github.com/spec/")) {
    throw fail<FormatError>("{}: this is Git LFS's pointer, not the file itself; in its folder, run: git lfs pull",
                            path);
  }
}

}  // namespace caravel::format
