#include "text/length_bound.h"

#include <algorithm>

#include "text/byte_level.h"
#include "text/vocabulary.h"

namespace caravel::text {
namespace {

/// Canonical composition makes at most three bytes one: three of Hangul's letters a syllable, the sign of Kelvin a K.
constexpr size_t kComposed = 3;

/// By how much the normalizer shortens a text at most; 0: without bound, or it is not known.
size_t shrinks(const std::vector<TokenizerData::NormalizerStep>& normalizer) {
  size_t factor = 1;
  for (const TokenizerData::NormalizerStep& step : normalizer) {
    if (step.bert || step.form == TokenizerData::Normalization::kNfkc) return 0;
    if (step.form == TokenizerData::Normalization::kNfc) {
      factor *= kComposed;
    } else if (step.content.size() < step.pattern.size()) {
      return 0;
    }
  }
  return factor;
}

bool takes_bytes_away(const TokenizerData& data, const NamedPreTokenizer& splitting) {
  using enum TokenizerData::SplitStep::Behavior;
  const auto strips = [](const TokenizerData::Token& token) { return token.lstrip || token.rstrip; };
  const auto removes = [&](const TokenizerData::SplitStep& step) {
    const bool rewrites = data.kind == TokenizerKind::kByteLevelBpe && !step.space_mark.empty();
    return step.is_bert || step.behavior == kRemoved || rewrites;
  };
  return std::ranges::any_of(data.tokens, strips) || std::ranges::any_of(splitting.steps, removes) ||
         std::ranges::any_of(data.split_steps, removes);
}

/// Bytes that are a token each where nothing longer is: a character without one is left out, or many are one unknown
/// token.
std::array<bool, 256> bytes_with_tokens(const TokenizerData& data) {
  std::array<bool, 256> bytes{};
  for (const TokenizerData::Token& token : data.tokens) {
    if (!token.in_model) continue;
    if (data.kind == TokenizerKind::kSentencePieceBpe) {
      if (const auto byte = byte_of(token.text)) bytes[*byte] = true;
    } else if (const auto byte = byte_level_byte(token.text)) {
      bytes[*byte] = true;
    }
  }
  return bytes;
}

}  // namespace

LengthBound::LengthBound(const TokenizerData& data, const std::vector<TokenizerData::NormalizerStep>& normalizer,
                         const NamedPreTokenizer& splitting) {
  const bool is_byte_level = data.kind == TokenizerKind::kByteLevelBpe;
  const size_t factor = shrinks(normalizer);
  if (factor == 0 || (!is_byte_level && !data.byte_fallback) || takes_bytes_away(data, splitting)) return;
  counts_ = bytes_with_tokens(data);
  // What a byte has become, or the rest of its character, may be among those without a token.
  const bool bytes_stay = is_byte_level && normalizer.empty();
  if (!bytes_stay && !std::ranges::all_of(counts_, [](bool there) { return there; })) return;
  for (const TokenizerData::Token& token : data.tokens) most_bytes_ = std::max(most_bytes_, token.text.size() * factor);
}

size_t LengthBound::least_tokens(std::string_view text) const {
  if (most_bytes_ == 0) return 0;
  const auto counted =
      static_cast<size_t>(std::ranges::count_if(text, [this](char c) { return counts_[static_cast<uint8_t>(c)]; }));
  return (counted + most_bytes_ - 1) / most_bytes_;
}

}  // namespace caravel::text
