#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace caravel {

struct TokenizerData;

enum class TokenType : uint8_t {
  kNormal,
  kUnknown,
  kControl,      // special: never from plain text unless special tokens are parsed; not shown
  kUserDefined,  // added token: always matched whole, shown
  kUnused,
  kByte,  // <0xNN>
};

struct EncodeOptions {
  bool add_special = true;    // bos (and eos) where the model wants them
  bool parse_special = true;  // control tokens written in the text become their ids
};

/// Text to token ids and back. Immutable: any thread may call it.
class Tokenizer {
 public:
  /// From what a model's files say: open_tokenizer() and Engine::tokenizer() have one made. Throws Unsupported (an
  /// unknown pre-tokenizer, named), FormatError (a merge or id that is not in the vocabulary, a pattern that PCRE2
  /// refuses).
  explicit Tokenizer(TokenizerData data);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  /// Broken UTF-8 counts as U+FFFD.
  std::vector<int32_t> encode(std::string_view text, const EncodeOptions& options = {}) const;

  /// A prompt that the model's chat template has rendered: the template writes special tokens itself, none is added.
  /// Only a GGUF file that asks for a beginning-of-sequence token gets one where the template writes none.
  std::vector<int32_t> encode_chat(std::string_view prompt) const;

  /// How many tokens a text has at least, whatever its tokens are; 0 where that is not known. A look at its bytes:
  /// what is far too long is known before it is tokenized, which takes seconds for tens of millions of bytes.
  size_t least_tokens(std::string_view text) const;

  /// The text of many tokens, as a Detokenizer would give it. Bytes that are not UTF-8 become U+FFFD.
  std::string decode(std::span<const int32_t> tokens, bool skip_special = true) const;

  // The next three throw InvalidArgument for an id outside the vocabulary.

  /// The raw bytes that a token stands for; may be part of a character. Control tokens give their name.
  std::string_view token_bytes(int32_t token) const;
  /// A token as the model's files spell it: "<|im_end|>", or "\u0120the" for " the".
  std::string_view token_text(int32_t token) const;
  TokenType token_type(int32_t token) const;
  /// The token that is spelled so in the model's files.
  std::optional<int32_t> find(std::string_view stored) const;

  int vocab_size() const;
  std::optional<int32_t> bos_id() const;
  std::optional<int32_t> eos_id() const;
  /// token_text() of bos_id() and eos_id(); empty where the model has none.
  std::string_view bos_text() const;
  std::string_view eos_text() const;
  /// encode() puts bos_id() first, where special tokens are asked for.
  bool adds_bos() const;
  /// encode() puts a space before a text (SentencePiece), which decode() takes off again.
  bool adds_space_prefix() const;

 private:
  friend class Detokenizer;
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

/// The tokenizer of a model alone, for those who count tokens: reads none of its weights. `model` as in
/// EngineConfig::model. Throws NotFound, FormatError, Unsupported, IoError.
std::unique_ptr<Tokenizer> open_tokenizer(const std::string& model);

/// Turns a stream of tokens into text, never emitting half a character: bytes of an unfinished character wait for the
/// next token. One thread at a time. A copy goes on from the same state (beams).
class Detokenizer {
 public:
  explicit Detokenizer(const Tokenizer& tokenizer, bool skip_special = true)
      : tokenizer_(&tokenizer), skip_special_(skip_special) {}

  /// Appends to `out` the text that `token` completes; maybe nothing.
  void push(int32_t token, std::string& out);
  /// The end: bytes that still wait become U+FFFD.
  void finish(std::string& out);

 private:
  void append(std::string_view bytes, std::string& out);
  void strip_leading(std::string& text);

  const Tokenizer* tokenizer_;
  bool skip_special_;
  bool started_ = false;         // some token has been pushed that is shown
  bool past_beginning_ = false;  // nothing is taken off the text's beginning any more
  size_t stripped_ = 0;          // characters that were, such as SentencePiece's leading space
  std::string pending_ = {};     // at most 3 bytes
};

}  // namespace caravel
