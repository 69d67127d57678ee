#include "format/hf/folder_files.h"

#include <fmt/format.h>

#include "base/file.h"

namespace caravel::format {
namespace {

namespace fs = std::filesystem;

}  // namespace

std::string names_there(const fs::path& folder, std::initializer_list<std::string_view> names) {
  std::string there;
  for (const std::string_view name : names) {
    if (is_there(folder / name)) there += (there.empty() ? "" : ", ") + std::string(name);
  }
  return there;
}

std::string missing_tokenizer(const fs::path& folder) {
  if (is_there(folder / "tokenizer.json")) {
    return fmt::format("{}: its vocabulary is empty", (folder / "tokenizer.json").string());
  }
  const std::string there = names_there(folder, {"tokenizer.model", "spiece.model", "vocab.json", "merges.txt",
                                                 "vocab.txt", "tekken.json", "tokenizer_config.json"});
  if (there.empty()) {
    return fmt::format("{}: no tokenizer.json in this folder, nor any other tokenizer: the download is not whole",
                       folder.string());
  }
  return fmt::format(
      "{}: no tokenizer.json in this folder, which is the file that Caravel reads; there is {} (transformers makes the "
      "missing one: AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER))",
      folder.string(), there);
}

std::string missing_weights(const fs::path& folder) {
  std::string message =
      fmt::format("{}: no model.safetensors and no model.safetensors.index.json in this folder", folder.string());
  const std::string old = names_there(folder, {"pytorch_model.bin", "pytorch_model.bin.index.json"});
  const std::string other = names_there(folder, {"consolidated.safetensors", "consolidated.00.pth", "tf_model.h5",
                                                 "flax_model.msgpack", "adapter_model.safetensors"});
  if (!old.empty()) {
    message += fmt::format("; its {} must be saved as safetensors first", old);
  } else if (!other.empty()) {
    message += fmt::format("; there is {}, which Caravel does not read", other);
  }
  return message;
}

}  // namespace caravel::format
