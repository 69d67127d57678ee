#include "format/weight_source.h"

#include <filesystem>

#include "base/error.h"
#include "format/gguf/gguf_source.h"
#include "format/hf/folder_files.h"
#include "format/hf/hf_source.h"

namespace caravel::format {

std::unique_ptr<WeightSource> open_weights(const std::string& path) {
  std::error_code ignored;  // where nothing is there, opening it says so
  return std::filesystem::is_directory(path, ignored) ? open_hf_folder(path) : open_gguf(path);
}

std::unique_ptr<WeightSource> open_model(const std::string& path) {
  std::unique_ptr<WeightSource> source = open_weights(path);
  if (!source->tokenizer().tokens.empty()) return source;
  if (source->convention() == Convention::kHuggingFace) throw NotFound(missing_tokenizer(path));
  throw fail<NotFound>("{}: the file has no tokenizer (tokenizer.ggml.model); convert the model again with its own",
                       path);
}

}  // namespace caravel::format
