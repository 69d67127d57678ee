#include "text/normalizer.h"

#include <utility>

#include "base/utf8.h"
#include "text/bert_text.h"
#include "text/tokenizer_data.h"
#include "text/unicode.h"
#include "text/vocabulary.h"

namespace caravel::text {
namespace {

std::string rewritten(const TokenizerData::NormalizerStep& step, std::string_view text) {
  if (step.bert) return bert_cleaned(text, *step.bert);
  if (step.form != TokenizerData::Normalization::kNone) return normalize(text, step.form);
  return replace_all(text, step.pattern, step.content);
}

// Of several characters that become others, `tokenizers` says that these stand for the last.
bool replaces_beginning(const TokenizerData::NormalizerStep& step, const NormalText& text) {
  if (step.bert || step.form != TokenizerData::Normalization::kNone || text.in_front > 0) return false;
  const bool is_one_for_some = step.pattern.size() == char_length(step.pattern[0]) && !step.content.empty();
  return !is_one_for_some && text.text.starts_with(step.pattern);
}

bool goes_in_front(const TokenizerData::NormalizerStep& step) {
  return !step.bert && step.form == TokenizerData::Normalization::kNone && step.pattern.empty();
}

}  // namespace

NormalText normalize(std::string_view text, const std::vector<TokenizerData::NormalizerStep>& steps) {
  NormalText out{.text = std::string(text)};
  for (const auto& step : steps) {
    if (out.text.empty()) break;  // nothing goes before nothing
    if (goes_in_front(step)) {
      out.text.insert(0, step.content);
      out.in_front += step.content.size();
      continue;
    }
    out.keeps_beginning &= !replaces_beginning(step, out);
    if (out.in_front > 0) out.in_front = rewritten(step, out.text.substr(0, out.in_front)).size();
    out.text = rewritten(step, out.text);
  }
  return out;
}

std::vector<TokenizerData::NormalizerStep> sentencepiece_normalizer(bool space_prefix) {
  std::vector<TokenizerData::NormalizerStep> steps;
  if (space_prefix) steps.push_back({.content = std::string(kSpaceMark)});
  steps.push_back({.pattern = " ", .content = std::string(kSpaceMark)});
  return steps;
}

std::string replace_all(std::string_view text, std::string_view pattern, std::string_view content) {
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  for (size_t i = 0; i < text.size();) {
    const size_t found = text.find(pattern, i);
    out.append(text.substr(i, found - i));  // npos: the rest
    if (found == std::string_view::npos) break;
    out.append(content);
    i = found + pattern.size();
  }
  return out;
}

}  // namespace caravel::text
