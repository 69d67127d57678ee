#include "base/utf8.h"
#include "caravel/tokenizer.h"
#include "text/tokenizer_impl.h"
#include "text/unicode.h"

namespace caravel {

void Detokenizer::push(int32_t token, std::string& out) {
  const TokenType type = tokenizer_->token_type(token);
  if (skip_special_ && (type == TokenType::kControl || type == TokenType::kUnknown)) return;
  const text::Decoder& decoder = tokenizer_->impl_->decoder;
  const bool is_first = !started_;
  started_ = true;
  if (past_beginning_) return append(tokenizer_->token_bytes(token), out);
  std::string text;
  if (is_first && decoder.has_first_form()) {
    append(decoder.bytes(tokenizer_->impl_->token(token), /*first=*/true), text);
  } else {
    append(tokenizer_->token_bytes(token), text);
  }
  strip_leading(text);
  out += text;
}

// Whole characters have come, so that what is to be taken off is never half of one.
void Detokenizer::strip_leading(std::string& text) {
  const text::Decoder::Leading& leading = tokenizer_->impl_->decoder.leading();
  for (; stripped_ < leading.most && text.starts_with(leading.character); ++stripped_) {
    text.erase(0, leading.character.size());
  }
  past_beginning_ = !text.empty() || stripped_ == leading.most;
}

void Detokenizer::append(std::string_view bytes, std::string& out) {
  // The waiting bytes take one more at a time until they are a character, or are known to be none.
  while (!pending_.empty() && !bytes.empty()) {
    pending_ += bytes[0];
    bytes.remove_prefix(1);
    const size_t waiting = append_complete_utf8(pending_, out);
    pending_.erase(0, pending_.size() - waiting);
  }
  if (bytes.empty()) return;
  const size_t waiting = append_complete_utf8(bytes, out);
  pending_.assign(bytes.substr(bytes.size() - waiting));
}

void Detokenizer::finish(std::string& out) {
  if (!pending_.empty()) out.append(kReplacement);
  pending_.clear();
}

}  // namespace caravel
