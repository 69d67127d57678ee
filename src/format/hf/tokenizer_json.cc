#include "format/hf/tokenizer_json.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/numbers.h"
#include "format/hf/tokenizer_pipeline.h"
#include "format/printable.h"
#include "text/tokenizer_data.h"

namespace caravel::format {
namespace {

using nlohmann::json;

// An id that leaves more holes than this is no vocabulary's: it would only make us allocate.
constexpr int64_t kMostHoles = 1 << 20;

[[noreturn]] void throw_bad_id(const std::string& path, const std::string& token) {
  throw fail<FormatError>("{}: token {} has an id that no vocabulary of this size has", path, printable(token));
}

int64_t token_id(const json& value, const std::string& path, const std::string& token, int64_t limit) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() >= static_cast<uint64_t>(limit)) throw_bad_id(path, token);
  return value.get<int64_t>();
}

TokenizerData::Token& token_at(TokenizerData& data, int64_t id) {
  if (id >= static_cast<int64_t>(data.tokens.size())) {
    data.tokens.resize(static_cast<size_t>(id) + 1, TokenizerData::Token{.type = TokenType::kUnused});
  }
  return data.tokens[static_cast<size_t>(id)];
}

// "<0x0A>": the token of one byte, where the model falls back to bytes or the decoder knows them.
bool is_byte_token(std::string_view text) {
  return text.size() == 6 && text.starts_with("<0x") && hex_digit(text[3]) >= 0 && hex_digit(text[4]) >= 0 &&
         text[5] == '>';
}

void read_vocabulary(const json& vocabulary, const std::string& path, int64_t limit, TokenizerData& data) {
  data.tokens.reserve(vocabulary.size());
  for (const auto& [text, value] : vocabulary.items()) {
    TokenizerData::Token& token = token_at(data, token_id(value, path, text, limit));
    if (token.type != TokenType::kUnused) {
      throw fail<FormatError>("{}: tokens {} and {} have the same id", path, printable(token.text), printable(text));
    }
    token.text = text;
    token.type = is_byte_token(text) ? TokenType::kByte : TokenType::kNormal;
  }
}

void read_merges(json& merges, const std::string& path, TokenizerData& data) {
  if (!merges.is_array()) throw fail<FormatError>("{}: model.merges is not a list", path);
  data.merges.reserve(merges.size());
  for (json& merge : merges) {
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      data.merges.emplace_back(std::move(merge[0].get_ref<std::string&>()),
                               std::move(merge[1].get_ref<std::string&>()));
      continue;
    }
    if (merge.is_string()) {  // the spelling before pairs: no token has a space in it
      const std::string& text = merge.get_ref<const std::string&>();
      const size_t space = text.find(' ');
      if (space != std::string::npos) {
        data.merges.emplace_back(text.substr(0, space), text.substr(space + 1));
        continue;
      }
    }
    throw fail<FormatError>("{}: merge {} is not two tokens", path, data.merges.size());
  }
}

void read_added_tokens(const json& added, const json& vocabulary, const std::string& path, int64_t limit,
                       TokenizerData& data) {
  if (!added.is_array()) throw fail<FormatError>("{}: added_tokens is not a list", path);
  for (const json& entry : added) {
    if (!entry.is_object() || !entry.contains("id") || !entry.contains("content") || !entry["content"].is_string()) {
      throw fail<FormatError>("{}: an added token without id or content", path);
    }
    const auto flag = [&](const char* key) { return entry.contains(key) && entry[key] == true; };
    const auto& text = entry["content"].get_ref<const std::string&>();
    const auto known = vocabulary.find(text);  // the model's id counts, whatever the entry says
    const json& id = known == vocabulary.end() ? entry["id"] : *known;
    TokenizerData::Token& token = token_at(data, token_id(id, path, text, limit));
    token.text = text;
    token.in_model = known != vocabulary.end();
    token.type = flag("special") ? TokenType::kControl : TokenType::kUserDefined;
    token.lstrip = flag("lstrip");
    token.rstrip = flag("rstrip");
    token.single_word = flag("single_word");
    token.normalized = flag("normalized");
  }
}

// What Hugging Face's BPE can do and Caravel's does not.
void refuse_unsupported(const json& model, const std::string& path) {
  const std::string type =
      model.contains("type") && model["type"].is_string() ? model["type"].get<std::string>() : "BPE";
  if (type != "BPE")
    throw fail<Unsupported>("{}: tokenizer model {} is not supported; Caravel reads BPE", path, printable(type));
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (model.contains(key) && !model[key].is_null() && model[key] != "") {
      throw fail<Unsupported>("{}: BPE with {} is not supported", path, key);
    }
  }
  if (model.contains("dropout") && model["dropout"].is_number() && model["dropout"] != 0.0) {
    throw fail<Unsupported>("{}: BPE with dropout is not supported", path);
  }
}

std::optional<int32_t> find_token(const TokenizerData& data, std::string_view text) {
  for (size_t i = 0; i < data.tokens.size(); ++i) {
    if (data.tokens[i].text == text) return static_cast<int32_t>(i);
  }
  return std::nullopt;
}

}  // namespace

TokenizerData read_tokenizer_json(json&& root, const std::string& path) {
  if (!root.is_object() || !root.contains("model") || !root["model"].is_object()) {
    throw fail<FormatError>("{}: not a tokenizer.json (it has no model)", path);
  }
  json& model = root["model"];
  refuse_unsupported(model, path);
  if (!model.contains("vocab") || !model["vocab"].is_object() || !model.contains("merges")) {
    throw fail<FormatError>("{}: a BPE model without vocab or merges", path);
  }
  TokenizerData data;
  data.byte_fallback = model.contains("byte_fallback") && model["byte_fallback"] == true;
  data.fuse_unknown = model.contains("fuse_unk") && model["fuse_unk"] == true;
  data.ignore_merges = model.contains("ignore_merges") && model["ignore_merges"] == true;
  const json& added = root.contains("added_tokens") ? root["added_tokens"] : json::array();
  const int64_t limit = static_cast<int64_t>(model["vocab"].size() + added.size()) + kMostHoles;
  read_vocabulary(model["vocab"], path, limit, data);
  read_merges(model["merges"], path, data);
  read_added_tokens(added, model["vocab"], path, limit, data);
  if (model.contains("unk_token") && model["unk_token"].is_string()) {
    data.unknown_id = find_token(data, model["unk_token"].get_ref<const std::string&>());
  }
  read_tokenizer_pipeline(root, path, data);
  return data;
}

}  // namespace caravel::format
