// Any bytes: both kinds of tokenizer encode them, and give them back with what is not UTF-8 mended; the stream of a
// detokenizer is the whole, never with half a character.
#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "caravel/tokenizer.h"
#include "text/normalizer.h"
#include "text/tokenizer_data.h"
#include "text/unicode.h"

namespace {

using caravel::Tokenizer;
using caravel::TokenizerData;
using caravel::TokenType;

std::string byte_token(int byte) { return fmt::format("<0x{:02X}>", byte); }

// GPT-2's alphabet in order of bytes, which its first 256 tokens are.
std::string byte_character(int byte) {
  int character = byte;
  const auto printable = [](int b) { return (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE; };
  if (!printable(byte)) {
    character = 0x100;
    for (int b = 0; b < byte; ++b) character += printable(b) ? 0 : 1;
  }
  if (character < 0x80) return std::string(1, static_cast<char>(character));
  return {static_cast<char>(0xC0 | (character >> 6)), static_cast<char>(0x80 | (character & 0x3F))};
}

void add_merge(TokenizerData& data, const std::string& left, const std::string& right) {
  data.merges.emplace_back(left, right);
  data.tokens.push_back({.text = left + right, .score = -static_cast<float>(data.merges.size())});
}

Tokenizer byte_level(const char* pre_tokenizer) {
  TokenizerData data;
  data.pre_tokenizer = pre_tokenizer;
  for (int byte = 0; byte < 256; ++byte) data.tokens.push_back({.text = byte_character(byte)});
  add_merge(data, "a", "a");
  add_merge(data, "aa", "a");
  add_merge(data, "\u0120", "a");
  add_merge(data, "\u0120", "\u0120");
  add_merge(data, byte_character(0xE2), byte_character(0x82));
  data.tokens.push_back({.text = "<both>", .type = TokenType::kUserDefined, .single_word = true});
  return Tokenizer(std::move(data));
}

Tokenizer sentence_piece(bool by_score) {
  TokenizerData data;
  data.kind = caravel::TokenizerKind::kSentencePieceBpe;
  data.byte_fallback = true;
  data.merges_by_score = by_score;
  data.normalizer = caravel::text::sentencepiece_normalizer(by_score);
  for (int byte = 0; byte < 256; ++byte) data.tokens.push_back({.text = byte_token(byte), .type = TokenType::kByte});
  for (const char* piece : {"a", "b", "\u2581"}) data.tokens.push_back({.text = piece, .score = -100});
  add_merge(data, "\u2581", "\u2581");
  add_merge(data, "\u2581", "a");
  add_merge(data, "a", "b");
  add_merge(data, "ab", "a");
  return Tokenizer(std::move(data));
}

void check(const Tokenizer& tokenizer, std::string_view bytes, std::string_view mended) {
  const auto ids = tokenizer.encode(bytes, {.add_special = false, .parse_special = false});
  std::string streamed;
  caravel::Detokenizer detokenizer(tokenizer);
  for (const int32_t id : ids) {
    const size_t before = streamed.size();
    detokenizer.push(id, streamed);
    CARAVEL_CHECK(caravel::is_valid_utf8(std::string_view(streamed).substr(before)));
  }
  detokenizer.finish(streamed);
  CARAVEL_CHECK_EQ(streamed, mended);
  CARAVEL_CHECK_EQ(tokenizer.decode(ids), mended);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Tokenizer tokenizers[] = {byte_level("smollm"), byte_level("llama-bpe"), byte_level("deepseek-v3"),
                                         sentence_piece(true), sentence_piece(false)};
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string mended;
  if (caravel::append_complete_utf8(bytes, mended) > 0) mended += caravel::kReplacement;
  if (mended.find("\u2581") != std::string::npos) return -1;  // becomes a space
  for (const Tokenizer& tokenizer : tokenizers) check(tokenizer, bytes, mended);
  return 0;
}
