#include "format/weight_source.h"

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "format/gguf/gguf_source.h"
#include "format/hf/folder_files.h"
#include "format/hf/hf_source.h"

namespace caravel::format {

namespace {

bool is_folder(const std::string& path) {
  std::error_code ignored;  // where nothing is there, opening it says so
  return std::filesystem::is_directory(path, ignored);
}

std::unique_ptr<WeightSource> with_tokenizer(std::unique_ptr<WeightSource> source) {
  const std::string& path = source->path();
  if (!source->tokenizer().tokens.empty()) return source;
  if (source->convention() == Convention::kHuggingFace) throw NotFound(missing_tokenizer(path));
  throw fail<NotFound>("{}: the file has no tokenizer (tokenizer.ggml.model); convert the model again with its own",
                       path);
}

}  // namespace

std::unique_ptr<WeightSource> open_weights(const std::string& path) {
  return is_folder(path) ? open_hf_folder(path) : open_gguf(path);
}

std::unique_ptr<WeightSource> open_without_weights(const std::string& path) {
  if (is_there(path) && !is_folder(path)) {
    throw fail<Unsupported>("{}: a file has weights; dummy ones are made of a folder's config.json", path);
  }
  return with_tokenizer(open_hf_folder(path, false));
}

std::unique_ptr<WeightSource> open_model(const std::string& path) { return with_tokenizer(open_weights(path)); }

}  // namespace caravel::format
