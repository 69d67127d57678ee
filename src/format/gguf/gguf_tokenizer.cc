#include "format/gguf/gguf_tokenizer.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "caravel/request.h"
#include "format/printable.h"
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

// Pre-tokenizers whose models want a bos token where the file does not say.
bool wants_bos(std::string_view pre) {
  static constexpr std::string_view kNames[] = {"llama3",  "llama-v3", "llama-bpe", "falcon3", "falcon-h1",
                                                "pixtral", "midm-2.0", "lfm2",      "tekken"};
  return std::find(std::begin(kNames), std::end(kNames), pre) != std::end(kNames);
}

}  // namespace

TokenizerData read_gguf_tokenizer(const GgufMetadata& metadata) {
  TokenizerData data;
  const std::string_view model = metadata.text("tokenizer.ggml.model").value_or("none");
  if (model == "none" || model == "no_vocab") return data;
  std::optional<int32_t> bos;
  std::optional<int32_t> eos;
  std::optional<int32_t> unknown;
  if (model == "gpt2") {
    data.kind = TokenizerKind::kByteLevelBpe;
    read_tokens(metadata, data);
    read_merges(metadata, data);
    data.pre_tokenizer = metadata.text("tokenizer.ggml.pre").value_or("default");
    data.add_bos = wants_bos(data.pre_tokenizer);
  } else if (model == "llama") {
    data.kind = TokenizerKind::kSentencePieceBpe;
    read_tokens(metadata, data);
    data.merges_by_score = true;
    data.byte_fallback = true;
    data.add_space_prefix = metadata.boolean("tokenizer.ggml.add_space_prefix").value_or(true);
    data.add_bos = true;
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
  data.unknown_id = token_id(metadata, "tokenizer.ggml.unknown_token_id", data, unknown);
  data.pad_id = token_id(metadata, "tokenizer.ggml.padding_token_id", data);
  data.add_bos = metadata.boolean("tokenizer.ggml.add_bos_token").value_or(data.add_bos);
  data.add_eos = metadata.boolean("tokenizer.ggml.add_eos_token").value_or(false);
  data.chat_template = metadata.text("tokenizer.chat_template").value_or("");
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
      "<end_of_utterance>", "<eos>",      "<|fim_pad|>", "<|repo_name|>", "<reponame>",    "<|file_sep|>"};
  for (size_t i = 0; i < tokenizer.tokens.size(); ++i) {
    const TokenizerData::Token& token = tokenizer.tokens[i];
    if (token.type != TokenType::kControl) continue;
    if (std::find(std::begin(kNames), std::end(kNames), token.text) != std::end(kNames)) add(static_cast<int32_t>(i));
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
