#include "engine/check_vocabulary.h"

#include <cstddef>
#include <vector>

#include "base/error.h"
#include "base/printable.h"
#include "text/tokenizer_data.h"

namespace caravel::engine {

std::optional<Decision> check_vocabulary(const format::WeightSource& source, int rows) {
  const std::vector<TokenizerData::Token>& tokens = source.tokenizer().tokens;
  size_t without = 0;
  for (size_t id = static_cast<size_t>(rows); id < tokens.size(); ++id) {
    const TokenizerData::Token& token = tokens[id];
    if (token.type == TokenType::kUnused) continue;
    if (token.in_model) {
      throw fail<FormatError>(
          "{}: the embedding has {} rows (vocab_size), and the tokenizer's {} is token {}: they are of different "
          "models",
          source.path(), rows, printable(token.text), id);
    }
    ++without;
  }
  if (without == 0) return std::nullopt;
  return Decision{"tokens without a row", fmt::format("{}, from {} on", without, rows),
                  "the tokenizer adds them, and the embedding ends before: requests with one are refused", ""};
}

}  // namespace caravel::engine
