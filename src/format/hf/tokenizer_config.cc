#include "format/hf/tokenizer_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "caravel/request.h"
#include "format/hf/json_file.h"
#include "format/hf/tokenizer_json.h"
#include "text/tokenizer_data.h"

namespace caravel::format {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::optional<int32_t> find_token(const TokenizerData& data, std::string_view text) {
  const auto place = std::find_if(data.tokens.begin(), data.tokens.end(),
                                  [&](const TokenizerData::Token& token) { return token.text == text; });
  if (place == data.tokens.end()) return std::nullopt;
  return static_cast<int32_t>(place - data.tokens.begin());
}

// Ids under `key`: a number, or a list of them; none where the key is absent or null.
std::vector<int32_t> ids_of(const json& object, const char* key, const std::string& path) {
  std::vector<int32_t> ids;
  const auto value = object.find(key);
  if (value == object.end() || value->is_null()) return ids;
  const auto add = [&](const json& id) {
    if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() > INT32_MAX) {
      throw fail<FormatError>("{}: {} is not a token id or a list of them", path, key);
    }
    ids.push_back(id.get<int32_t>());
  };
  if (value->is_array()) {
    for (const json& id : *value) add(id);
  } else {
    add(*value);
  }
  return ids;
}

// A special token as tokenizer_config.json has it: a text or an object with "content"; empty where there is none.
std::string token_text(const json& tokenizer_config, const char* key) {
  const auto value = tokenizer_config.find(key);
  if (value == tokenizer_config.end()) return {};
  if (value->is_string()) return value->get<std::string>();
  if (value->is_object() && value->contains("content") && (*value)["content"].is_string()) {
    return (*value)["content"].get<std::string>();
  }
  return {};
}

std::string chat_template_of(const fs::path& folder, const json& tokenizer_config) {
  const fs::path file = folder / "chat_template.jinja";
  if (fs::exists(file)) return read_file(file.string());
  const auto value = tokenizer_config.find("chat_template");
  if (value == tokenizer_config.end()) return {};
  if (value->is_string()) return value->get<std::string>();
  std::string chosen;
  if (!value->is_array()) return chosen;
  for (const json& entry : *value) {
    if (!entry.is_object() || !entry.contains("template") || !entry["template"].is_string()) continue;
    const bool is_default = entry.contains("name") && entry["name"] == "default";
    if (is_default || chosen.empty()) chosen = entry["template"].get<std::string>();
    if (is_default) break;
  }
  return chosen;
}

std::optional<float> number_of(const json& object, const char* key, const std::string& path) {
  const auto value = object.find(key);
  if (value == object.end() || value->is_null()) return std::nullopt;
  if (!value->is_number()) throw fail<FormatError>("{}: {} is not a number", path, key);
  return value->get<float>();
}

}  // namespace

TokenizerData read_hf_tokenizer(const fs::path& folder, const json& config) {
  const fs::path file = folder / "tokenizer.json";
  if (!fs::exists(file)) return {};
  const std::string config_path = (folder / "config.json").string();
  TokenizerData data = read_tokenizer_json(read_json_object(file), file.string());
  const json tokenizer_config = read_json_object_if_there(folder / "tokenizer_config.json");

  const std::pair<const char*, std::optional<int32_t>*> special[] = {
      {"bos", &data.bos_id}, {"eos", &data.eos_id}, {"pad", &data.pad_id}, {"unk", &data.unknown_id}};
  for (const auto& [name, id] : special) {
    const std::string token_key = std::string(name) + "_token";
    const std::string text =
        tokenizer_config.is_null() ? std::string() : token_text(tokenizer_config, token_key.c_str());
    if (!text.empty()) {
      if (const auto found = find_token(data, text)) *id = found;
    } else if (!*id) {
      const std::vector<int32_t> ids = ids_of(config, (token_key + "_id").c_str(), config_path);
      if (!ids.empty() && static_cast<size_t>(ids.front()) < data.tokens.size()) *id = ids.front();
    }
  }
  if (tokenizer_config.is_null()) {
    data.chat_template = chat_template_of(folder, json::object());
    return data;
  }
  // The post-processor of tokenizer.json decides; where it adds nothing, Llama's and Gemma's classes go by these.
  const auto wants = [&](const char* key) { return tokenizer_config.contains(key) && tokenizer_config[key] == true; };
  data.add_bos = data.bos_id && (data.add_bos || wants("add_bos_token"));
  data.add_eos = data.eos_id && (data.add_eos || wants("add_eos_token"));
  data.chat_template = chat_template_of(folder, tokenizer_config);
  return data;
}

GenerationDefaults read_hf_generation(const fs::path& folder, const json& config, const TokenizerData& tokenizer) {
  GenerationDefaults defaults;
  const fs::path file = folder / "generation_config.json";
  const std::string path = file.string();
  const json found = read_json_object_if_there(file);
  const json settings = found.is_null() ? json::object() : found;

  std::vector<int32_t>& ends = defaults.end_of_generation_ids;
  const auto add = [&](int32_t id) {
    if (std::find(ends.begin(), ends.end(), id) == ends.end()) ends.push_back(id);
  };
  for (const int32_t id : ids_of(settings, "eos_token_id", path)) add(id);
  for (const int32_t id : ids_of(config, "eos_token_id", (folder / "config.json").string())) add(id);
  if (tokenizer.eos_id) add(*tokenizer.eos_id);

  defaults.temperature = number_of(settings, "temperature", path);
  defaults.top_p = number_of(settings, "top_p", path);
  defaults.min_p = number_of(settings, "min_p", path);
  defaults.repetition_penalty = number_of(settings, "repetition_penalty", path);
  if (const auto top_k = number_of(settings, "top_k", path)) {
    defaults.top_k = static_cast<int>(std::clamp(*top_k, 0.0F, 1e9F));
  }
  if (settings.contains("do_sample") && settings["do_sample"] == false) defaults.temperature = 0.0F;
  return defaults;
}

}  // namespace caravel::format
