#include "format/weight_source.h"

#include <filesystem>

#include "format/gguf/gguf_source.h"
#include "format/hf/hf_source.h"

namespace caravel::format {

std::unique_ptr<WeightSource> open_weights(const std::string& path) {
  std::error_code ignored;  // where nothing is there, opening it says so
  return std::filesystem::is_directory(path, ignored) ? open_hf_folder(path) : open_gguf(path);
}

}  // namespace caravel::format
