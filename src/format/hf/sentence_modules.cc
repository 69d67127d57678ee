#include "format/hf/sentence_modules.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "format/hf/json_file.h"

namespace caravel::format {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// A flag for each mode, or, since version 5, the modes by name.
std::string pooling_of(const json& config, const std::string& path) {
  std::string pooling;
  const auto add = [&](std::string_view mode) { pooling.append(pooling.empty() ? "" : "+").append(mode); };
  if (const auto named = config.find("pooling_mode"); named != config.end()) {
    if (named->is_string()) add(named->get_ref<const std::string&>());
    if (!named->is_array()) return pooling;
    for (const json& mode : *named) add(mode.is_string() ? mode.get_ref<const std::string&>() : mode.dump());
    return pooling;
  }
  static constexpr std::pair<const char*, std::string_view> kFlags[] = {
      {"pooling_mode_cls_token", "cls"},
      {"pooling_mode_mean_tokens", "mean"},
      {"pooling_mode_max_tokens", "max"},
      {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"},
      {"pooling_mode_weightedmean_tokens", "weightedmean"},
      {"pooling_mode_lasttoken", "lasttoken"},
  };
  for (const auto& [key, mode] : kFlags) {
    if (truth_of(config, key, path) == true) add(mode);
  }
  return pooling;
}

std::string module_text(const json& module, const char* key) {
  return module.is_object() && module.contains(key) && module[key].is_string() ? module[key].get<std::string>() : "";
}

/// "sentence_transformers.models.Pooling": its last name.
std::string class_of(const json& module) {
  const std::string type = module_text(module, "type");
  return type.substr(type.rfind('.') + 1);
}

}  // namespace

SentenceModules read_sentence_modules(const fs::path& folder) {
  const fs::path file = folder / "modules.json";
  SentenceModules modules;
  if (!is_there(file)) return modules;
  modules.given = true;
  const json list = parse_json(read_file(file.string()), file.string());
  if (!list.is_array()) throw fail<FormatError>("{}: should be a list of modules", file.string());
  for (const json& module : list) {
    const std::string name = class_of(module);
    if (name == "Pooling") {
      const fs::path config = folder / module_text(module, "path") / "config.json";
      modules.pooling = pooling_of(read_json_object(config), config.string());
    } else if (name == "Normalize") {
      modules.normalizes = true;
    } else if (name != "Transformer" && modules.other.empty()) {
      modules.other = name.empty() ? module.dump() : name;
    }
  }
  const json sizes = read_json_object_if_there(folder / "sentence_bert_config.json");
  if (!sizes.is_object() || !sizes.contains("max_seq_length") || sizes["max_seq_length"].is_null()) return modules;
  const json& length = sizes["max_seq_length"];
  if (!length.is_number_integer() || length.get<int64_t>() < 1 || length.get<int64_t>() > (1 << 30)) {
    throw fail<FormatError>("{}: max_seq_length is {}; it must be a number of tokens",
                            (folder / "sentence_bert_config.json").string(), length.dump());
  }
  modules.max_length = length.get<int>();
  return modules;
}

}  // namespace caravel::format
