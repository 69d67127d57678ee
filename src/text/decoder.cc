#include "text/decoder.h"

#include <string_view>
#include <utility>

#include "base/utf8.h"
#include "text/byte_level.h"
#include "text/normalizer.h"
#include "text/tokenizer_data.h"
#include "text/vocabulary.h"

namespace caravel::text {
namespace {

using Step = TokenizerData::DecoderStep;

std::string with_byte(const TokenizerData::Token& token, std::string text) {
  if (token.type != TokenType::kByte) return text;
  const auto byte = byte_of(token.text);
  return byte ? std::string(1, static_cast<char>(*byte)) : text;
}

std::string strip(std::string_view text, const Step& step) {
  for (size_t i = 0; i < step.start && text.starts_with(step.pattern); ++i) text.remove_prefix(step.pattern.size());
  for (size_t i = 0; i < step.stop && text.ends_with(step.pattern); ++i) text.remove_suffix(step.pattern.size());
  return std::string(text);
}

// As `tokenizers` has it, in its order.
std::string without_spaces(std::string text) {
  static constexpr std::pair<std::string_view, std::string_view> kRewritten[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},    {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
  };
  for (const auto& [from, to] : kRewritten) text = replace_all(text, from, to);
  return text;
}

std::string joined_word_piece(std::string text, const Step& step, bool first) {
  if (!first && text.starts_with(step.pattern)) {
    text.erase(0, step.pattern.size());
  } else if (!first) {
    text.insert(0, " ");
  }
  return step.cleans_up ? without_spaces(std::move(text)) : text;
}

// A file that has no decoder: its added tokens stand for themselves.
std::string bytes_by_kind(const TokenizerData::Token& token, TokenizerKind kind) {
  if (kind == TokenizerKind::kSentencePieceBpe) return with_byte(token, replace_all(token.text, kSpaceMark, " "));
  return token.type == TokenType::kUserDefined ? token.text : byte_level_decode(token.text);
}

}  // namespace

Decoder::Decoder(const TokenizerData& data)
    : kind_(data.kind), by_kind_(data.decoder.empty()), normalizer_(data.normalizer) {
  for (const Step& step : data.decoder) {
    if (step.kind == Step::Kind::kStrip && step.strips_text) {
      leading_ = {.character = step.pattern, .most = step.start};
      continue;
    }
    has_first_form_ |= step.kind == Step::Kind::kMetaspace && step.strips_text;
    joins_words_ |= step.kind == Step::Kind::kWordPiece;
    steps_.push_back(step);
  }
  const bool puts_space_in_front = !data.normalizer.empty() && data.normalizer.front().content == kSpaceMark &&
                                   data.normalizer.front().pattern.empty();
  has_first_form_ |= joins_words_;
  if (by_kind_ && kind_ == TokenizerKind::kSentencePieceBpe && puts_space_in_front) {
    leading_ = {.character = " ", .most = 1};
  }
}

bool Decoder::drops_leading_space() const {
  return (has_first_form_ && !joins_words_) || (leading_.character == " " && leading_.most > 0);
}

std::string Decoder::bytes(const TokenizerData::Token& token, bool first) const {
  // Words are told apart by spaces, whatever their tokens are.
  const bool is_special = token.type == TokenType::kControl || token.type == TokenType::kUnknown;
  if (is_special && !joins_words_) return token.text;
  if (by_kind_) return bytes_by_kind(token, kind_);
  std::string text = token.text;
  if (token.normalized && is_valid_utf8(text)) text = normalize(text, normalizer_).text;
  for (const Step& step : steps_) {
    switch (step.kind) {
      case Step::Kind::kReplace:
        text = replace_all(text, step.pattern, step.content);
        break;
      case Step::Kind::kByteFallback:
        text = with_byte(token, std::move(text));
        break;
      case Step::Kind::kFuse:
        break;
      case Step::Kind::kStrip:
        text = strip(text, step);
        break;
      case Step::Kind::kMetaspace:
        text = replace_all(text, step.pattern, first && step.strips_text ? "" : " ");
        break;
      case Step::Kind::kByteLevel:
        text = byte_level_decode(text);
        break;
      case Step::Kind::kWordPiece:
        text = joined_word_piece(std::move(text), step, first);
        break;
    }
  }
  return text;
}

}  // namespace caravel::text
