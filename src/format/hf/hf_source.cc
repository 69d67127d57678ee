#include "format/hf/hf_source.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/printable.h"
#include "format/hf/float8_scales.h"
#include "format/hf/folder_files.h"
#include "format/hf/json_file.h"
#include "format/hf/mxfp4_blocks.h"
#include "format/hf/sentence_modules.h"
#include "format/hf/tensor_names.h"
#include "format/hf/tokenizer_config.h"
#include "format/mapped_source.h"
#include "format/safetensors/safetensors_file.h"

namespace caravel::format {
namespace {

namespace fs = std::filesystem;

// The shards that an index names. Which tensors it promises in each is not looked at: an index may name some that
// nobody needs and nobody saved (rotary tables, a head that is tied), and what is needed is missed when it is read.
std::set<std::string> read_index(const fs::path& path) {
  const nlohmann::json index = read_json_object(path);
  const auto map = index.find("weight_map");
  if (map == index.end() || !map->is_object()) throw fail<FormatError>("{}: no object weight_map", path.string());
  std::set<std::string> shards;
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string()) throw fail<FormatError>("{}: tensor {} names no file", path.string(), printable(tensor));
    const auto& name = file.get_ref<const std::string&>();
    if (name.empty() || name.find('/') != std::string::npos || name.find('\0') != std::string::npos) {
      throw fail<FormatError>("{}: tensor {} is said to be in {}, which is not a file of this folder", path.string(),
                              printable(tensor), printable(name));
    }
    shards.insert(name);
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
  if (!fs::exists(index)) throw NotFound(missing_weights(folder));
  const std::set<std::string> shards = read_index(index);
  const auto missing = [&](const std::string& name) { return !fs::exists(folder / name); };
  if (const auto first = std::ranges::find_if(shards, missing); first != shards.end()) {
    throw fail<NotFound>("{}: no such file; {} of the {} files that {} names are not there: the download is not whole",
                         (folder / printable(*first)).string(), std::ranges::count_if(shards, missing), shards.size(),
                         index.filename().string());
  }
  for (const std::string& name : shards) files.push_back(SafetensorsFile::open((folder / name).string()));
  return files;
}

// What speaks of the text model: of a multimodal model's config.json its text_config, with what the outer object says
// of both.
nlohmann::json text_part(nlohmann::json config, const std::string& path) {
  const auto text = config.find("text_config");
  if (text == config.end() || text->is_null()) return config;
  if (!text->is_object()) throw fail<FormatError>("{}: text_config is not an object", path);
  nlohmann::json part = *text;
  for (const char* key : {"architectures", "tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id",
                          "quantization_config"}) {
    const auto outer = config.find(key);
    if (outer != config.end() && !outer->is_null()) part[key] = *outer;
  }
  return part;
}

// By the convention's names, and the text model's alone.
std::vector<WeightInfo> text_weights(std::vector<WeightInfo> weights, bool multimodal) {
  if (multimodal) std::erase_if(weights, [](const WeightInfo& weight) { return is_vision_tensor(weight.name); });
  for (WeightInfo& weight : weights) weight.name = text_tensor_name(weight.name);
  return weights;
}

}  // namespace

std::unique_ptr<WeightSource> open_hf_folder(const std::string& path, bool weights) {
  const fs::path folder(path);
  if (!fs::exists(folder / "config.json")) {
    const std::string other = names_there(path, {"params.json", "adapter_config.json"});
    throw fail<NotFound>("{}: no config.json in this folder{}; give a Hugging Face model folder or a .gguf file", path,
                         other.empty() ? "" : fmt::format(" (there is {}, which Caravel does not read)", other));
  }
  MappedSource source = {.path = path, .convention = Convention::kHuggingFace};
  nlohmann::json config = read_json_object(folder / "config.json");
  const bool multimodal = config.contains("text_config") && !config["text_config"].is_null();
  const ScaledParts scaled = weights ? check_quantization(config, (folder / "config.json").string()) : ScaledParts{};
  source.config = text_part(std::move(config), (folder / "config.json").string());
  if (weights) {
    std::vector<WeightInfo> all, bytes;
    for (SafetensorsFile& file : open_weight_files(folder)) {
      const auto take = [&](std::vector<WeightInfo> from, std::vector<WeightInfo>& to) {
        for (WeightInfo& weight : text_weights(std::move(from), multimodal)) {
          weight.origin = file.file.get();
          to.push_back(std::move(weight));
        }
      };
      take(std::move(file.weights), all);
      take(std::move(file.bytes), bytes);
      source.files.push_back(std::move(file.file));
    }
    join_float8_scales(all, scaled);
    join_mxfp4_blocks(std::move(bytes), all);
    for (WeightInfo& weight : all) source.weights.add(std::move(weight));
  }
  source.tokenizer = read_hf_tokenizer(path, source.config);
  source.generation = read_hf_generation(path, source.config, source.tokenizer);
  source.sentence_modules = read_sentence_modules(path);
  return make_source(std::move(source));
}

}  // namespace caravel::format
