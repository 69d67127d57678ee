#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/jinja/token.h"

namespace caravel::text::jinja {

/// The parser's place in the tokens.
class TokenStream {
 public:
  explicit TokenStream(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& current() const { return tokens_[position_]; }
  const Token& ahead() const { return tokens_[position_ + 1 < tokens_.size() ? position_ + 1 : position_]; }
  int line() const { return current().line; }

  /// Moves on and gives the token that was passed. The end is never passed.
  const Token& next() {
    const Token& token = current();
    if (!token.is(Token::Type::kEnd)) ++position_;
    return token;
  }

  bool skip_operator(const char* text) { return current().is_operator(text) && (next(), true); }
  bool skip_name(const char* text) { return current().is_name(text) && (next(), true); }

  void expect_operator(const char* text) {
    if (!skip_operator(text)) unexpected(std::string("'") + text + "'");
  }

  const Token& expect(Token::Type type, std::string_view what) {
    if (!current().is(type)) unexpected(what);
    return next();
  }

  [[noreturn]] void unexpected(std::string_view wanted) const {
    throw fail<FormatError>("chat template, line {}: expected {}, found {}", line(), wanted, description());
  }

 private:
  std::string description() const {
    switch (current().type) {
      case Token::Type::kEnd:
        return "the end of the template";
      case Token::Type::kText:
        return "text";
      case Token::Type::kString:
        return "a string";
      default:
        return "'" + current().text + "'";
    }
  }

  std::vector<Token> tokens_;
  size_t position_ = 0;
};

}  // namespace caravel::text::jinja
