#include "format/hf/hf_source.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/error.h"
#include "format/hf/json_file.h"
#include "format/hf/tokenizer_config.h"
#include "format/mapped_source.h"
#include "format/printable.h"
#include "format/safetensors/safetensors_file.h"

namespace caravel::format {
namespace {

namespace fs = std::filesystem;

// The shards that an index names, and which tensors it promises in each.
std::map<std::string, std::vector<std::string>> read_index(const fs::path& path) {
  const nlohmann::json index = read_json_object(path);
  const auto map = index.find("weight_map");
  if (map == index.end() || !map->is_object()) throw fail<FormatError>("{}: no object weight_map", path.string());
  std::map<std::string, std::vector<std::string>> shards;
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string()) throw fail<FormatError>("{}: tensor {} names no file", path.string(), printable(tensor));
    const auto& name = file.get_ref<const std::string&>();
    if (name.empty() || name.find('/') != std::string::npos || name.find('\0') != std::string::npos) {
      throw fail<FormatError>("{}: tensor {} is said to be in {}, which is not a file of this folder", path.string(),
                              printable(tensor), printable(name));
    }
    shards[name].push_back(tensor);
  }
  return shards;
}

std::vector<SafetensorsFile> open_weight_files(const fs::path& folder) {
  std::vector<SafetensorsFile> files;
  if (fs::exists(folder / "model.safetensors")) {
    files.push_back(SafetensorsFile::open((folder / "model.safetensors").string()));
    return files;
  }
  const fs::path index = folder / "model.safetensors.index.json";
  if (!fs::exists(index)) {
    throw fail<NotFound>(
        "{}: no model.safetensors and no model.safetensors.index.json in this folder{}", folder.string(),
        fs::exists(folder / "pytorch_model.bin") ? "; its pytorch_model.bin must be saved as safetensors first" : "");
  }
  for (const auto& [name, tensors] : read_index(index)) {
    SafetensorsFile file = SafetensorsFile::open((folder / name).string());
    for (const std::string& tensor : tensors) {
      const bool there = std::any_of(file.weights.begin(), file.weights.end(),
                                     [&](const WeightInfo& weight) { return weight.name == tensor; });
      if (!there) {
        throw fail<FormatError>("{}: tensor {} should be in {}, and is not", index.string(), printable(tensor),
                                printable(name));
      }
    }
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace

std::unique_ptr<WeightSource> open_hf_folder(const std::string& path) {
  const fs::path folder(path);
  if (!fs::exists(folder / "config.json")) {
    throw fail<NotFound>("{}: no config.json in this folder; give a Hugging Face model folder or a .gguf file", path);
  }
  MappedSource source = {.path = path, .convention = Convention::kHuggingFace};
  source.config = read_json_object(folder / "config.json");
  for (SafetensorsFile& file : open_weight_files(folder)) source.add(std::move(file.file), std::move(file.weights));
  source.tokenizer = read_hf_tokenizer(path, source.config);
  source.generation = read_hf_generation(path, source.config, source.tokenizer);
  return make_source(std::move(source));
}

}  // namespace caravel::format
