#include "chat/hidden_marks.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace caravel::chat {

bool hides_marks(const Tokenizer& tokenizer, const AnswerLayout& layout) {
  const auto hidden = [&tokenizer](std::string_view mark) {
    const std::optional<int32_t> token = tokenizer.find(mark);
    if (!token) return false;
    const TokenType type = tokenizer.token_type(*token);
    return type == TokenType::kControl || type == TokenType::kUnknown;
  };
  return hidden(layout.marks.begin) || hidden(layout.marks.end) ||
         std::ranges::any_of(call_marks(layout.format), hidden);
}

}  // namespace caravel::chat
