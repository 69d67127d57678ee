#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "caravel/tokenizer.h"

namespace caravel {

enum class TokenizerKind : uint8_t {
  kByteLevelBpe,      // GPT-2's: text is split by regular expressions, bytes are mapped to printable characters
  kSentencePieceBpe,  // spaces become U+2581, unknown characters become <0xNN> bytes
};

/// All that a tokenizer needs, as plain data: what a GGUF file's metadata or a tokenizer.json say. `format` fills it,
/// `text` uses it.
struct TokenizerData {
  struct Token {
    std::string text;  // as stored: byte-level text for kByteLevelBpe (added tokens: plain UTF-8)
    float score = 0;   // kSentencePieceBpe of a GGUF file: higher merges first
    TokenType type = TokenType::kNormal;
    bool lstrip = false;       // an added token that takes the white space before it
    bool rstrip = false;       // ... after it
    bool single_word = false;  // ... and matches whole words alone
    bool normalized = false;   // ... and is looked for in normalised text
  };

  TokenizerKind kind = TokenizerKind::kByteLevelBpe;
  std::vector<Token> tokens;  // by id

  /// Pairs in order of rank, each side as stored. Empty for a kSentencePieceBpe that merges by score.
  std::vector<std::pair<std::string, std::string>> merges;

  /// How plain text is split before BPE: a GGUF `tokenizer.ggml.pre` name ("smollm", "llama-bpe", "qwen2", "gpt-2"...).
  /// Empty where split_patterns say it.
  std::string pre_tokenizer;
  /// From a tokenizer.json: the Split / Digits / ByteLevel steps in order. A pattern's matches (behaviour Isolated)
  /// and what lies between them become pieces.
  struct SplitStep {
    std::string pattern;  // a regular expression, or a literal
    bool is_regex = true;
    bool invert = false;
    enum class Behavior : uint8_t {
      kIsolated,
      kRemoved,
      kMergedWithPrevious,
      kMergedWithNext,
      kContiguous
    } behavior = Behavior::kIsolated;
  };
  std::vector<SplitStep> split_steps;

  enum class Normalization : uint8_t { kNone, kNfc, kNfkc } normalization = Normalization::kNone;
  bool add_space_prefix = false;  // kSentencePieceBpe: a space before the text
  bool ignore_merges = false;  // a piece that is a whole token is taken as it is (Llama 3); some pre_tokenizers say so
  bool byte_fallback = false;  // unknown characters become their bytes' tokens
  bool merges_by_score = false;  // kSentencePieceBpe: by tokens' scores (GGUF), else by rank in merges

  std::optional<int32_t> bos_id;
  std::optional<int32_t> eos_id;
  std::optional<int32_t> unknown_id;
  std::optional<int32_t> pad_id;
  bool add_bos = false;  // encode() with special tokens puts it first
  bool add_eos = false;

  std::string chat_template;  // Jinja; empty: the model has none
};

}  // namespace caravel
