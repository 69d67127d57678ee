#include "format/hf/tokenizer_config.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "caravel/request.h"
#include "format/hf/json_file.h"
#include "format/hf/tokenizer_json.h"
#include "format/lfs_pointer.h"
#include "text/tokenizer_data.h"

namespace caravel::format {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

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

/// The template under a name: the default has a place of its own.
void add_template(TokenizerData& data, const std::string& name, std::string source) {
  (name == "default" ? data.chat_template : data.named_templates[name]) = std::move(source);
}

/// Under "chat_template": one template, a list of {"name", "template"}, or an object of them by name.
void read_templates(const json& object, TokenizerData& data) {
  const auto value = object.find("chat_template");
  if (value == object.end()) return;
  if (value->is_string()) data.chat_template = value->get<std::string>();
  std::optional<std::string> first;
  const auto add = [&](const json& name, const json& source) {
    if (!source.is_string()) return;
    if (!first) first = source.get<std::string>();
    add_template(data, name.is_string() ? name.get<std::string>() : "default", source.get<std::string>());
  };
  if (value->is_array()) {
    for (const json& entry : *value) {
      if (entry.is_object()) add(entry.value("name", json("default")), entry.value("template", json()));
    }
  } else if (value->is_object()) {
    for (const auto& [name, source] : value->items()) add(name, source);
  }
  if (data.chat_template.empty() && first) data.chat_template = *std::move(first);
}

/// As transformers 5 looks for them: files of their own come before what tokenizer_config.json says. A
/// chat_template.json is a processor's, of before.
void read_chat_templates(const fs::path& folder, const json& tokenizer_config, TokenizerData& data) {
  std::map<std::string, std::string> files;
  const fs::path single = folder / "chat_template.jinja";
  if (fs::exists(single)) files["default"] = read_file(single.string());
  const fs::path others = folder / "additional_chat_templates";
  if (fs::is_directory(others)) {
    for (const fs::directory_entry& entry : fs::directory_iterator(others)) {
      if (entry.path().extension() != ".jinja") continue;
      files[entry.path().stem().string()] = read_file(entry.path().string());
    }
  }
  if (!files.contains("default")) {
    read_templates(tokenizer_config, data);
    if (!files.empty()) data.named_templates.clear();
    const json processor = read_json_object_if_there(folder / "chat_template.json");
    if (data.chat_template.empty() && processor.is_object()) read_templates(processor, data);
  }
  for (auto& [name, source] : files) add_template(data, name, std::move(source));
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
  const std::string written = read_file(file.string());
  refuse_lfs_pointer(written, file.string());
  TokenizerData data = read_tokenizer_json(written, file.string());
  const json tokenizer_config = read_json_object_if_there(folder / "tokenizer_config.json");

  const std::pair<const char*, std::optional<int32_t>*> special[] = {
      {"bos", &data.bos_id}, {"eos", &data.eos_id}, {"pad", &data.pad_id}};
  for (const auto& [name, id] : special) {
    const std::string token_key = std::string(name) + "_token";
    const std::string text =
        tokenizer_config.is_null() ? std::string() : token_text(tokenizer_config, token_key.c_str());
    if (!text.empty()) {
      if (const auto found = data.find(text)) *id = found;
    } else if (!*id) {
      const std::vector<int32_t> ids = ids_of(config, (token_key + "_id").c_str(), config_path);
      if (!ids.empty() && static_cast<size_t>(ids.front()) < data.tokens.size()) *id = ids.front();
    }
  }
  // Not add_bos_token and add_eos_token: with a tokenizer.json, transformers 5 drops them, and its post-processor
  // decides.
  read_chat_templates(folder, tokenizer_config.is_null() ? json::object() : tokenizer_config, data);
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
  if (const auto most = number_of(settings, "max_new_tokens", path); most && *most >= 1) {
    defaults.max_tokens = static_cast<int>(std::min(*most, 1e9F));
  }
  if (truth_of(settings, "do_sample", path) == false) defaults.temperature = 0.0F;
  return defaults;
}

}  // namespace caravel::format
