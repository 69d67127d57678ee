#include "base/utf8.h"
#include "caravel/tokenizer.h"
#include "text/unicode.h"

namespace caravel {

void Detokenizer::push(int32_t token, std::string& out) {
  const TokenType type = tokenizer_->token_type(token);
  if (skip_special_ && (type == TokenType::kControl || type == TokenType::kUnknown)) return;
  std::string_view bytes = tokenizer_->token_bytes(token);
  if (!started_ && !bytes.empty()) {
    started_ = true;
    if (tokenizer_->adds_space_prefix() && bytes[0] == ' ') bytes.remove_prefix(1);
  }
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
