#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "caravel/tokenizer.h"

namespace caravel {

enum class TokenizerKind : uint8_t {
  kByteLevelBpe,      // GPT-2's: text is split by regular expressions, bytes are mapped to printable characters
  kSentencePieceBpe,  // characters are merged; spaces have become a mark, unknown characters become <0xNN> bytes
  kWordPiece,         // BERT's: a word becomes its longest pieces, from its front to its end
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
    bool normalized = false;   // ... and is looked for in normalised text, in its own normalised form
    bool in_model = true;      // of the BPE model's vocabulary; false: an added token alone
  };

  TokenizerKind kind = TokenizerKind::kByteLevelBpe;
  std::vector<Token> tokens;  // by id
  /// The first token that is stored so: a walk through all of them.
  std::optional<int32_t> find(std::string_view text) const {
    const auto found = std::ranges::find(tokens, text, &Token::text);
    if (found == tokens.end()) return std::nullopt;
    return static_cast<int32_t>(found - tokens.begin());
  }

  /// Pairs in order of rank, each side as stored. Empty for a kSentencePieceBpe that merges by score.
  std::vector<std::pair<std::string, std::string>> merges;

  /// How plain text is split before BPE: a GGUF `tokenizer.ggml.pre` name ("smollm", "llama-bpe", "qwen2", "gpt-2"...).
  /// Empty where split_patterns say it.
  std::string pre_tokenizer;
  /// From a tokenizer.json: the Split / Digits / ByteLevel / Metaspace steps in order. A pattern's matches (behaviour
  /// Isolated) and what lies between them become pieces.
  struct SplitStep {
    std::string pattern = {};  // a regular expression, or a literal
    bool is_regex = true;
    bool invert = false;
    enum class Behavior : uint8_t {
      kIsolated,
      kRemoved,
      kMergedWithPrevious,
      kMergedWithNext,
      kContiguous
    } behavior = Behavior::kIsolated;
    bool splits = true;           // false: a Metaspace that only writes its marks
    bool is_bert = false;         // BertPreTokenizer, and none of the above: words between white space, which goes, and
                                  // punctuation, each character of which is a word
    std::string space_mark = {};  // Metaspace: what a piece's spaces become before it is split; empty: they stay
    // Metaspace: the mark goes before a piece that does not begin with one; kFirst: before the input's beginning alone.
    enum class Prefix : uint8_t { kNever, kFirst, kAlways } prefix = Prefix::kNever;
  };
  std::vector<SplitStep> split_steps;

  enum class Normalization : uint8_t { kNone, kNfc, kNfkc, kNfd };
  /// `tokenizers`' BertNormalizer; its parts in the order in which they act.
  struct BertCleaning {
    bool cleans_text = true;     // control characters go, and all white space becomes spaces
    bool parts_chinese = true;   // each Chinese character is a word of its own
    bool strips_accents = true;  // characters are decomposed, and nonspacing marks go
    bool lowercases = true;
  };
  /// What is done to text before it is split, step by step.
  struct NormalizerStep {
    Normalization form = Normalization::kNone;
    std::string pattern = {};  // where there is no form: this becomes `content`; empty: content goes before the text
    std::string content = {};
    std::optional<BertCleaning> bert = {};  // the step is this one, and none of the above
  };
  std::vector<NormalizerStep> normalizer;

  /// How tokens become text: a tokenizer.json's decoder. None: as `kind` has it, with U+2581 for a space.
  struct DecoderStep {
    enum class Kind : uint8_t {
      kReplace,       // `pattern` becomes `content` within each token
      kByteFallback,  // <0xNN> is a byte
      kFuse,          // tokens are joined, as they are without it
      kStrip,         // up to `start` and `stop` times `pattern`, a character, goes from each token's ends
      kMetaspace,     // `pattern`, a character, becomes a space; strips_text: in the first token, nothing
      kByteLevel,     // GPT-2's characters become bytes
      kWordPiece,     // a space before tokens that do not begin with `pattern`, which the others lose
    } kind;
    std::string pattern = {};
    std::string content = {};
    size_t start = 0;
    size_t stop = 0;
    bool strips_text = false;  // kStrip: from the beginning of the whole text, not of each token
    bool cleans_up = false;    // kWordPiece: no space before punctuation and the like
  };
  std::vector<DecoderStep> decoder;

  bool ignore_merges = false;  // a piece that is a whole token is taken as it is (Llama 3); some pre_tokenizers say so
  bool byte_fallback = false;  // unknown characters become their bytes' tokens, where all of these are there
  bool fuse_unknown = true;    // a run of unknown characters is one unknown token
  // A character that has neither token nor bytes, where there is no unknown token, is left out. What stood around it
  // may merge, as in `tokenizers`; true: may not, as in llama.cpp.
  bool left_out_parts = false;
  bool merges_by_score = false;  // kSentencePieceBpe: by tokens' scores (GGUF), else by rank in merges

  std::string continuing_prefix;  // kWordPiece: what a piece that does not begin its word is spelled with, "##"
  size_t longest_word = 0;        // kWordPiece: characters; a longer word is one unknown token

  std::optional<int32_t> bos_id;
  std::optional<int32_t> eos_id;
  std::optional<int32_t> unknown_id;
  std::optional<int32_t> pad_id;
  std::vector<int32_t> prefix_ids;  // encode() with special tokens puts them first
  std::vector<int32_t> suffix_ids;  // ... and these last
  bool bos_in_chats = false;        // a chat prompt whose template writes no bos_id gets it (GGUF)

  std::string chat_template;                           // Jinja; empty: the model has none
  std::map<std::string, std::string> named_templates;  // the others, by their names, such as tool_use
};

}  // namespace caravel
