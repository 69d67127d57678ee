#include "format/hf/tokenizer_json.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/numbers.h"
#include "base/printable.h"
#include "format/hf/json_file.h"
#include "format/hf/tokenizer_pipeline.h"
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

/// The two long lists of a file, taken out while it is parsed: as JSON values they would be half of the time and most
/// of the memory that opening a model takes.
struct LongLists {
  std::optional<std::vector<std::pair<std::string, json>>> vocabulary;  // tokens with their ids, in the file's order
  std::optional<std::vector<std::pair<std::string, std::string>>> merges;
  bool merges_are_pairs = true;  // false: one of them is not two tokens, and is the last

  /// Parses `text` into what is left: model.vocab and model.merges are gone from it.
  json parse(std::string_view text, const std::string& path);

 private:
  bool take(int depth, json::parse_event_t event, json& value);
  bool take_merge(int depth, json::parse_event_t event, json& value);
  void add_merge(std::string left, std::string right) {
    if (merges_are_pairs) merges->emplace_back(std::move(left), std::move(right));
  }

  std::string member_;               // of the root
  std::string model_member_;         // of its "model"
  std::string token_;                // whose id comes next
  std::vector<std::string> merged_;  // of the pair that is read
};

json LongLists::parse(std::string_view text, const std::string& path) {
  return parse_json(text, path,
                    [this](int depth, json::parse_event_t event, json& value) { return take(depth, event, value); });
}

// Depths: the root's members are at 1, the model's at 2, what its lists hold at 3.
bool LongLists::take(int depth, json::parse_event_t event, json& value) {
  using Event = json::parse_event_t;
  if (event == Event::key && depth == 1) {
    member_ = value.get_ref<const std::string&>();
    model_member_.clear();
    if (member_ == "model") vocabulary.reset(), merges.reset();
  }
  if (member_ != "model" || depth < 2) return true;
  if (event == Event::key && depth == 2) model_member_ = value.get_ref<const std::string&>();
  if (model_member_ == "vocab") {
    if (event == Event::object_start && depth == 2) vocabulary.emplace();
    if (!vocabulary || depth < 3) return true;
    if (event == Event::key && depth == 3) token_ = std::move(value.get_ref<std::string&>());
    const bool begins = event == Event::object_start || event == Event::array_start;
    if (depth == 3 && (event == Event::value || begins)) {  // what is no number is refused later, as null
      vocabulary->emplace_back(std::move(token_), begins ? json() : std::move(value));
    }
    // Members whose keys are refused are parsed, and kept nowhere.
    return event != Event::key;
  }
  if (model_member_ == "merges") return take_merge(depth, event, value);
  return true;
}

bool LongLists::take_merge(int depth, json::parse_event_t event, json& value) {
  using Event = json::parse_event_t;
  if (event == Event::array_start && depth == 2) merges.emplace();
  if (!merges || depth < 3) return true;
  if (event == Event::value && depth == 3) {  // the spelling before pairs: no token has a space in it
    const std::string text = value.is_string() ? value.get<std::string>() : std::string();
    const size_t space = text.find(' ');
    if (space == std::string::npos) merges_are_pairs = false;
    if (merges_are_pairs) add_merge(text.substr(0, space), text.substr(space + 1));
  } else if (event == Event::array_start && depth == 3) {
    merged_.clear();
    return true;
  } else if (event == Event::value && depth == 4 && value.is_string()) {
    merged_.push_back(std::move(value.get_ref<std::string&>()));
  } else if (event == Event::array_end && depth == 3) {
    if (merged_.size() != 2) merges_are_pairs = false;
    if (merges_are_pairs) add_merge(std::move(merged_[0]), std::move(merged_[1]));
  } else {
    merges_are_pairs = false;  // an object, a number, a list in a list
  }
  return false;
}

void read_vocabulary(const std::vector<std::pair<std::string, json>>& vocabulary, const std::string& path,
                     int64_t limit, TokenizerData& data) {
  data.tokens.reserve(vocabulary.size());
  for (const auto& [text, value] : vocabulary) {
    TokenizerData::Token& token = token_at(data, token_id(value, path, text, limit));
    if (token.type != TokenType::kUnused) {
      throw fail<FormatError>("{}: tokens {} and {} have the same id", path, printable(token.text), printable(text));
    }
    token.text = text;
    token.type = is_byte_token(text) ? TokenType::kByte : TokenType::kNormal;
  }
}

/// Behind the vocabulary's: of a token that is in both, the model's id counts, whatever the entry says.
void read_added_tokens(const json& added, const std::string& path, int64_t limit, TokenizerData& data) {
  if (!added.is_array()) throw fail<FormatError>("{}: added_tokens is not a list", path);
  std::unordered_map<std::string_view, std::optional<int64_t>> known;
  for (const json& entry : added) {
    if (!entry.is_object() || !entry.contains("id") || !entry.contains("content") || !entry["content"].is_string()) {
      throw fail<FormatError>("{}: an added token without id or content", path);
    }
    known.try_emplace(entry["content"].get_ref<const std::string&>());
  }
  for (size_t id = 0; id < data.tokens.size(); ++id) {
    if (data.tokens[id].type == TokenType::kUnused) continue;
    if (const auto found = known.find(data.tokens[id].text); found != known.end()) {
      found->second = static_cast<int64_t>(id);
    }
  }
  for (const json& entry : added) {
    const auto flag = [&](const char* key) { return truth_of(entry, key, path).value_or(false); };
    const auto& text = entry["content"].get_ref<const std::string&>();
    const std::optional<int64_t> in_model = known.at(text);
    TokenizerData::Token& token = token_at(data, in_model ? *in_model : token_id(entry["id"], path, text, limit));
    token.text = text;
    token.in_model = in_model.has_value();
    token.type = flag("special") ? TokenType::kControl : TokenType::kUserDefined;
    token.lstrip = flag("lstrip");
    token.rstrip = flag("rstrip");
    token.single_word = flag("single_word");
    token.normalized = flag("normalized");
  }
}

std::string model_type(const json& model) {
  return model.contains("type") && model["type"].is_string() ? model["type"].get<std::string>() : "BPE";
}

// What Hugging Face's BPE can do and Caravel's does not.
void refuse_unsupported(const json& model, const std::string& path) {
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (model.contains(key) && !model[key].is_null() && model[key] != "") {
      throw fail<Unsupported>("{}: BPE with {} is not supported", path, key);
    }
  }
  if (model.contains("dropout") && model["dropout"].is_number() && model["dropout"] != 0.0) {
    throw fail<Unsupported>("{}: BPE with dropout is not supported", path);
  }
}

void read_bpe(const json& model, LongLists& lists, const std::string& path, TokenizerData& data) {
  refuse_unsupported(model, path);
  if (model.contains("merges") && !model["merges"].is_array()) {
    throw fail<FormatError>("{}: model.merges is not a list", path);
  }
  if (!lists.vocabulary || !lists.merges) throw fail<FormatError>("{}: a BPE model without vocab or merges", path);
  if (!lists.merges_are_pairs) throw fail<FormatError>("{}: merge {} is not two tokens", path, lists.merges->size());
  data.byte_fallback = truth_of(model, "byte_fallback", path).value_or(false);
  data.fuse_unknown = truth_of(model, "fuse_unk", path).value_or(false);
  data.ignore_merges = truth_of(model, "ignore_merges", path).value_or(false);
  data.merges = std::move(*lists.merges);
}

void read_word_piece(const json& model, const std::string& path, TokenizerData& data) {
  constexpr size_t kLongestWord = 100;
  data.kind = TokenizerKind::kWordPiece;
  const json prefix = model.value("continuing_subword_prefix", json("##"));
  const json longest = model.value("max_input_chars_per_word", json(kLongestWord));
  if (!prefix.is_string() || !longest.is_number_unsigned()) {
    throw fail<FormatError>(
        "{}: a WordPiece model whose continuing_subword_prefix is no text or whose "
        "max_input_chars_per_word is no number",
        path);
  }
  data.continuing_prefix = prefix.get<std::string>();
  data.longest_word = longest.get<size_t>();
}

}  // namespace

TokenizerData read_tokenizer_json(std::string_view text, const std::string& path) {
  LongLists lists;
  const json root = lists.parse(text, path);
  if (!root.is_object() || !root.contains("model") || !root["model"].is_object()) {
    throw fail<FormatError>("{}: not a tokenizer.json (it has no model)", path);
  }
  const json& model = root["model"];
  TokenizerData data;
  const std::string type = model_type(model);
  if (type == "WordPiece") {
    read_word_piece(model, path, data);
  } else if (type == "BPE") {
    read_bpe(model, lists, path, data);
  } else {
    throw fail<Unsupported>("{}: tokenizer model {} is not supported; Caravel reads BPE and WordPiece", path,
                            printable(type));
  }
  if (!lists.vocabulary) throw fail<FormatError>("{}: a {} model without vocab", path, type);
  const json& added = root.contains("added_tokens") ? root["added_tokens"] : json::array();
  const int64_t limit = static_cast<int64_t>(lists.vocabulary->size() + added.size()) + kMostHoles;
  read_vocabulary(*lists.vocabulary, path, limit, data);
  read_added_tokens(added, path, limit, data);
  if (model.contains("unk_token") && model["unk_token"].is_string()) {
    data.unknown_id = data.find(model["unk_token"].get_ref<const std::string&>());
  }
  read_tokenizer_pipeline(root, path, data);
  return data;
}

}  // namespace caravel::format
