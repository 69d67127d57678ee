#include "format/gguf/gguf_tokenizer.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "caravel/request.h"
#include "text/normalizer.h"
#include "text/tokenizer_data.h"

namespace caravel::format {
namespace {

constexpr std::string_view kTokens = "tokenizer.ggml.tokens";

// llama.cpp's token_type: 0 undefined, then these from 1.
TokenType token_type_of(double number) {
  static constexpr TokenType kTypes[] = {TokenType::kNormal,  TokenType::kNormal,      TokenType::kUnknown,
                                         TokenType::kControl, TokenType::kUserDefined, TokenType::kUnused,
                                         TokenType::kByte};
  return number >= 0 && number < static_cast<double>(std::size(kTypes)) ? kTypes[static_cast<size_t>(number)]
                                                                        : TokenType::kNormal;
}

// Numbers that go with the tokens, one each; empty where the file has none.
std::vector<double> numbers_per_token(const GgufMetadata& metadata, std::string_view key, size_t tokens) {
  const GgufArray* array = metadata.array(key);
  if (array == nullptr) return {};
  std::vector<double> numbers = array->numbers(key);
  if (numbers.size() < tokens) {
    throw fail<FormatError>("GGUF metadata {} has {} entries for {} tokens", key, numbers.size(), tokens);
  }
  return numbers;
}

void read_tokens(const GgufMetadata& metadata, TokenizerData& data) {
  const GgufArray* array = metadata.array(kTokens);
  if (array == nullptr) throw fail<FormatError>("GGUF metadata has a tokenizer but no {}", kTokens);
  const std::vector<std::string_view> texts = array->strings(kTokens);
  const std::vector<double> scores = numbers_per_token(metadata, "tokenizer.ggml.scores", texts.size());
  const std::vector<double> types = numbers_per_token(metadata, "tokenizer.ggml.token_type", texts.size());
  data.tokens.resize(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    data.tokens[i].text = texts[i];
    if (!scores.empty()) data.tokens[i].score = static_cast<float>(scores[i]);
    if (!types.empty()) data.tokens[i].type = token_type_of(types[i]);
  }
}

void read_merges(const GgufMetadata& metadata, TokenizerData& data) {
  constexpr std::string_view kMerges = "tokenizer.ggml.merges";
  const GgufArray* array = metadata.array(kMerges);
  if (array == nullptr) throw fail<FormatError>("GGUF metadata has a BPE tokenizer but no {}", kMerges);
  data.merges.reserve(array->count);
  for (const std::string_view merge : array->strings(kMerges)) {
    const size_t space = merge.find(' ', 1);  // not the first: a side may be a space
    if (space == std::string_view::npos) {
      throw fail<FormatError>("GGUF metadata {}: \"{}\" is not two tokens with a space between", kMerges,
                              printable(merge));
    }
    data.merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
  }
}

// Published files write 4294967295, or an id beyond the vocabulary, for none.
std::optional<int32_t> token_id(const GgufMetadata& metadata, std::string_view key, const TokenizerData& data,
                                std::optional<int32_t> otherwise = std::nullopt) {
  const auto in_vocabulary = [&](int64_t id) { return id >= 0 && id < static_cast<int64_t>(data.tokens.size()); };
  const std::optional<int64_t> id = metadata.integer(key);
  if (id && in_vocabulary(*id)) return static_cast<int32_t>(*id);
  return otherwise && in_vocabulary(*otherwise) ? otherwise : std::nullopt;
}

// Where the scores of all tokens are one, nothing says which merge before others. Tokens of one character come of none.
void check_scores(const TokenizerData& data) {
  std::optional<float> score;
  int tokens = 0;
  for (const TokenizerData::Token& token : data.tokens) {
    const bool is_one_character = token.text.empty() || token.text.size() <= char_length(token.text[0]);
    if (token.type != TokenType::kNormal || is_one_character) continue;
    if (score && *score != token.score) return;
    score = token.score;
    ++tokens;
  }
  if (tokens < 2) return;
  throw fail<Unsupported>(
      "the GGUF file's {} tokens have one score, {} (tokenizer.ggml.scores): the order of their merges is lost. "
      "Converters write this for a folder without a tokenizer.model: use that folder itself, or add the file and "
      "convert again",
      tokens, *score);
}

// Names of pre-tokenizers under which the vocabulary is SentencePiece's, though the merges are a list.
bool is_sentencepiece(std::string_view pre) {
  return pre == "gemma4" || pre == "granite-embed-multi-311m" || pre == "sarvam-moe";
}

// The converter calls "<0x0A>" an ordinary token there.
void mark_byte_tokens(TokenizerData& data) {
  for (TokenizerData::Token& token : data.tokens) {
    const std::string_view text = token.text;
    const bool spelled = text.size() == 6 && text.starts_with("<0x") && text.ends_with('>') &&
                         text.find_first_not_of("0123456789ABCDEF", 3) == 5;
    if (spelled && token.type == TokenType::kNormal) token.type = TokenType::kByte;
  }
}

// Pre-tokenizers whose models want a bos token where the file does not say.
bool wants_bos(std::string_view pre) {
  static constexpr std::string_view kNames[] = {"llama3",  "llama-v3", "llama-bpe", "falcon3", "falcon-h1",
                                                "pixtral", "midm-2.0", "lfm2",      "tekken",  "chameleon"};
  return std::find(std::begin(kNames), std::end(kNames), pre) != std::end(kNames);
}

/// The default one, and those whose names the converter listed; "tool_use" also where it is not listed.
void read_chat_templates(const GgufMetadata& metadata, TokenizerData& data) {
  constexpr std::string_view kDefault = "tokenizer.chat_template";
  constexpr std::string_view kNames = "tokenizer.chat_templates";
  data.chat_template = metadata.text(kDefault).value_or("");
  std::vector<std::string_view> names = {"tool_use"};
  if (const GgufArray* array = metadata.array(kNames)) {
    for (const std::string_view name : array->strings(kNames)) names.push_back(name);
  }
  for (const std::string_view name : names) {
    const auto source = metadata.text(std::string(kDefault) + "." + std::string(name));
    if (!source) continue;
    if (name == "default" && data.chat_template.empty()) data.chat_template = *source;
    if (name != "default") data.named_templates[std::string(name)] = *source;
  }
}

}  // namespace

TokenizerData read_gguf_tokenizer(const GgufMetadata& metadata) {
  TokenizerData data;
  const std::string_view model = metadata.text("tokenizer.ggml.model").value_or("none");
  if (model == "none" || model == "no_vocab") return data;
  std::optional<int32_t> bos;
  std::optional<int32_t> eos;
  std::optional<int32_t> unknown;
  bool adds_bos = true;
  if (model == "gpt2") {
    data.kind = TokenizerKind::kByteLevelBpe;
    read_tokens(metadata, data);
    read_merges(metadata, data);
    data.pre_tokenizer = metadata.text("tokenizer.ggml.pre").value_or("default");
    data.left_out_parts = true;
    adds_bos = wants_bos(data.pre_tokenizer);
    if (is_sentencepiece(data.pre_tokenizer)) {
      data.kind = TokenizerKind::kSentencePieceBpe;
      data.pre_tokenizer.clear();
      data.split_steps = {{.pattern = R"([^\n]+|\n+)"}};  // no merge crosses the end of a line
      data.byte_fallback = true;
      mark_byte_tokens(data);
      data.normalizer =
          text::sentencepiece_normalizer(metadata.boolean("tokenizer.ggml.add_space_prefix").value_or(false));
    }
  } else if (model == "llama") {
    data.kind = TokenizerKind::kSentencePieceBpe;
    read_tokens(metadata, data);
    check_scores(data);
    data.merges_by_score = true;
    data.byte_fallback = true;
    data.normalizer =
        text::sentencepiece_normalizer(metadata.boolean("tokenizer.ggml.add_space_prefix").value_or(true));
    bos = 1;
    eos = 2;
    unknown = 0;
  } else {
    throw fail<Unsupported>(
        "tokenizer model \"{}\" is not supported; Caravel reads gpt2 (byte-level BPE) and llama "
        "(SentencePiece BPE)",
        printable(model));
  }
  data.bos_id = token_id(metadata, "tokenizer.ggml.bos_token_id", data, bos);
  data.eos_id = token_id(metadata, "tokenizer.ggml.eos_token_id", data, eos);
  // Of a byte-level vocabulary llama.cpp leaves out what has no token.
  if (unknown) data.unknown_id = token_id(metadata, "tokenizer.ggml.unknown_token_id", data, unknown);
  data.pad_id = token_id(metadata, "tokenizer.ggml.padding_token_id", data);
  adds_bos = metadata.boolean("tokenizer.ggml.add_bos_token").value_or(adds_bos);
  if (adds_bos && data.bos_id) data.prefix_ids = {*data.bos_id};
  if (metadata.boolean("tokenizer.ggml.add_eos_token").value_or(false) && data.eos_id) data.suffix_ids = {*data.eos_id};
  data.bos_in_chats = adds_bos;
  read_chat_templates(metadata, data);
  return data;
}

GenerationDefaults read_gguf_generation(const GgufMetadata& metadata, const TokenizerData& tokenizer) {
  GenerationDefaults defaults;
  std::vector<int32_t>& ends = defaults.end_of_generation_ids;
  const auto add = [&](std::optional<int32_t> id) {
    if (id && std::find(ends.begin(), ends.end(), *id) == ends.end()) ends.push_back(*id);
  };
  add(tokenizer.eos_id);
  for (const char* key : {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    add(token_id(metadata, key, tokenizer));
  }
  // Converters seldom write eot and eom, so llama.cpp goes by names; unlike it, we leave ordinary tokens alone
  // ("</s>" is a tag of HTML's in some vocabularies).
  static constexpr std::string_view kNames[] = {
      "<|eot_id|>",         "<|im_end|>", "<|end|>",     "<end_of_turn>", "<|endoftext|>", "</s>",
      "<|eom_id|>",         "<EOT>",      "_<EOT>",      "[EOT]",         "[EOS]",         "<|end_of_text|>",
      "<end_of_utterance>", "<eos>",      "<|fim_pad|>", "<|repo_name|>", "<reponame>",    "<|file_sep|>",
      "<|return|>",         "<|call|>",   "[e~["};
  for (size_t i = 0; i < tokenizer.tokens.size(); ++i) {
    const TokenizerData::Token& token = tokenizer.tokens[i];
    if (token.type != TokenType::kControl) continue;
    if (std::find(std::begin(kNames), std::end(kNames), token.text) != std::end(kNames)) add(static_cast<int32_t>(i));
  }
  // An answer in harmony's form (gpt-oss) is several messages, each of which ends with <|end|>.
  const auto is_end = [&](std::string_view text) {
    return std::ranges::any_of(ends, [&](int32_t id) { return tokenizer.tokens[id].text == text; });
  };
  if (is_end("<|return|>") && is_end("<|call|>")) {
    std::erase_if(ends, [&](int32_t id) { return tokenizer.tokens[id].text == "<|end|>"; });
  }
  const auto number = [&](std::string_view key) -> std::optional<float> {
    const std::optional<double> value = metadata.number(key);
    return value ? std::optional<float>(static_cast<float>(*value)) : std::nullopt;
  };
  defaults.temperature = number("general.sampling.temp");
  defaults.top_p = number("general.sampling.top_p");
  defaults.min_p = number("general.sampling.min_p");
  defaults.repetition_penalty = number("general.sampling.penalty_repeat");
  const std::optional<int64_t> top_k = metadata.integer("general.sampling.top_k");
  if (top_k) defaults.top_k = static_cast<int>(std::clamp<int64_t>(*top_k, 0, INT32_MAX));
  return defaults;
}

}  // namespace caravel::format
