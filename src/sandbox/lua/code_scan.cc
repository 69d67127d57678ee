#include "sandbox/lua/code_scan.h"

#include <algorithm>
#include <set>

#include "sandbox/lua/tokens.h"

namespace caravel::sandbox::lua {
namespace {

constexpr std::string_view kParameter = "bot";

class Scan {
 public:
  explicit Scan(std::string_view code) : tokens_(tokens_of(code)) {}

  ScannedCode run() {
    for (size_t i = 0; i < tokens_.size(); ++i) {
      if (is_keyword(i, "function")) define(i);
      if (is_keyword(i, "function") || is_keyword(i, "do") || is_keyword(i, "if") || is_keyword(i, "repeat")) ++depth_;
      if (is_keyword(i, "end") || is_keyword(i, "until")) --depth_;
      if (is_call(i)) called_.emplace(tokens_[i].text);
    }
    std::ranges::set_difference(called_, defined_, std::back_inserter(found_.calls));
    return std::move(found_);
  }

 private:
  bool is(size_t i, Token::Kind kind, std::string_view text) const {
    return i < tokens_.size() && tokens_[i].kind == kind && tokens_[i].text == text;
  }
  bool is_keyword(size_t i, std::string_view word) const { return is(i, Token::Kind::kKeyword, word); }
  bool is_sign(size_t i, std::string_view sign) const { return is(i, Token::Kind::kSign, sign); }
  bool is_name(size_t i) const { return i < tokens_.size() && tokens_[i].kind == Token::Kind::kName; }

  /// `function NAME(`, `NAME = function(`, at whichever depth; `function a.b(` defines no name.
  void define(size_t at) {
    size_t parameters = 0;
    size_t name = 0;
    if (is_name(at + 1) && is_sign(at + 2, "(")) {
      name = at + 1;
      parameters = at + 3;
    } else if (is_sign(at + 1, "(") && at >= 2 && is_sign(at - 1, "=") && is_name(at - 2) &&
               !(at >= 3 && (is_sign(at - 3, ".") || is_sign(at - 3, ",") || is_sign(at - 3, "{")))) {
      name = at - 2;
      parameters = at + 2;
    } else {
      return;
    }
    const std::string text(tokens_[name].text);
    defined_.insert(text);
    if (depth_ != 0) return;
    std::erase(found_.functions, text);
    found_.functions.push_back(text);
    if (is(parameters, Token::Kind::kName, kParameter) && is_sign(parameters + 1, ")")) found_.main = text;
  }

  bool is_call(size_t i) const {
    if (!is_name(i) || i + 1 >= tokens_.size()) return false;
    if (i > 0 && (is_sign(i - 1, ".") || is_sign(i - 1, ":") || is_keyword(i - 1, "function"))) return false;
    return is_sign(i + 1, "(") || is_sign(i + 1, "{") || tokens_[i + 1].kind == Token::Kind::kString;
  }

  const std::vector<Token> tokens_;
  int depth_ = 0;  // of blocks
  ScannedCode found_;
  std::set<std::string> defined_;
  std::set<std::string> called_;
};

}  // namespace

ScannedCode scan_code(std::string_view code) { return Scan(code).run(); }

}  // namespace caravel::sandbox::lua
