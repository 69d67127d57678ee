#include "text/jinja/lexer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/error.h"
#include "base/numbers.h"
#include "text/jinja/python_text.h"

namespace caravel::text::jinja {
namespace {

std::string with_unix_newlines(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      out += source[i];
    }
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

bool is_name_start(int32_t c) { return is_word(c) && !is_digit(c); }
bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(with_unix_newlines(source)), rest_(source_) {}

  std::vector<Token> run() {
    while (position_ < rest_.size()) lex_text();
    add(Token::Type::kEnd, "");
    return std::move(tokens_);
  }

 private:
  using Type = Token::Type;

  void add(Type type, std::string text) { tokens_.push_back({type, line_, std::move(text)}); }

  char at(size_t offset) const { return offset < rest_.size() ? rest_[offset] : '\0'; }
  bool starts(size_t offset, std::string_view text) const {
    return rest_.substr(std::min(offset, rest_.size())).starts_with(text);
  }

  // Moves to `end`, counting lines.
  void advance_to(size_t end) {
    line_ += static_cast<int>(std::count(rest_.begin() + static_cast<std::ptrdiff_t>(position_),
                                         rest_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    if (end > position_) line_starting_ = rest_[end - 1] == '\n';
    position_ = end;
  }

  size_t skip_space(size_t offset) const {
    while (offset < rest_.size()) {
      const CodePoint c = utf8_decode(rest_, offset);
      if (!is_python_space(c.value)) break;
      offset += c.bytes;
    }
    return offset;
  }

  // The text before a tag, less what the tag's sign or lstrip_blocks takes from its end.
  std::string_view stripped(std::string_view text, char sign, bool is_variable) const {
    if (sign == '-') return strip(text, nullptr, false, true);
    if (sign == '+' || is_variable) return text;
    const size_t newline = text.rfind('\n');
    const size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
    if (line_start == 0 && !line_starting_) return text;
    return strip(text.substr(line_start)).empty() ? text.substr(0, line_start) : text;
  }

  void emit_text(size_t end, char sign, bool is_variable) {
    const std::string_view text = stripped(rest_.substr(position_, end - position_), sign, is_variable);
    if (!text.empty()) add(Type::kText, std::string(text));
    // line_starting_ speaks of the last tag's end, so it is not the text's to change.
    const bool line_starting = line_starting_;
    advance_to(end);
    line_starting_ = line_starting;
  }

  // Where the tag that ends at `offset` leaves off: after its whitespace ("-"), after one newline, or right there.
  size_t after_block_end(size_t offset, char sign) const {
    if (sign == '-') return skip_space(offset);
    return sign != '+' && at(offset) == '\n' ? offset + 1 : offset;
  }

  static bool is_sign(char c) { return c == '-' || c == '+'; }

  void lex_text() {
    size_t begin = position_;
    while (begin < rest_.size() &&
           !(rest_[begin] == '{' && (at(begin + 1) == '%' || at(begin + 1) == '{' || at(begin + 1) == '#'))) {
      ++begin;
    }
    if (begin >= rest_.size()) {
      add(Type::kText, std::string(rest_.substr(position_)));
      advance_to(rest_.size());
      return;
    }
    const char kind = rest_[begin + 1];
    const char sign = is_sign(at(begin + 2)) ? at(begin + 2) : '\0';
    emit_text(begin, sign, kind == '{');
    const size_t inside = begin + 2 + (sign != '\0' ? 1 : 0);
    if (kind == '#') {
      lex_comment(inside);
    } else if (kind == '{') {
      add(Type::kVariableBegin, "{{");
      advance_to(inside);
      lex_tag(false);
    } else if (const auto raw = raw_begin(inside)) {
      lex_raw(*raw);
    } else {
      add(Type::kBlockBegin, "{%");
      advance_to(inside);
      lex_tag(true);
    }
  }

  void lex_comment(size_t inside) {
    const size_t end = rest_.find("#}", inside);
    if (end == std::string_view::npos) throw fail<FormatError>("chat template, line {}: a comment has no end", line_);
    const char sign = end > inside && is_sign(rest_[end - 1]) ? rest_[end - 1] : '\0';
    advance_to(after_block_end(end + 2, sign));
  }

  // Where the text of {% raw %} starts, if the block tag whose inside starts here is one.
  std::optional<size_t> raw_begin(size_t inside) const {
    size_t offset = skip_space(inside);
    if (!starts(offset, "raw")) return std::nullopt;
    offset = skip_space(offset + 3);
    if (starts(offset, "-%}")) return skip_space(offset + 3);
    if (starts(offset, "%}")) return offset + 2;
    return std::nullopt;
  }

  void lex_raw(size_t start) {
    const int line = line_;
    advance_to(start);
    for (size_t begin = rest_.find("{%", start); begin != std::string_view::npos; begin = rest_.find("{%", begin + 2)) {
      const char sign = is_sign(at(begin + 2)) ? at(begin + 2) : '\0';
      size_t offset = skip_space(begin + 2 + (sign != '\0' ? 1 : 0));
      if (!starts(offset, "endraw")) continue;
      offset = skip_space(offset + 6);
      const char end_sign = is_sign(at(offset)) ? at(offset) : '\0';
      offset += end_sign != '\0' ? 1 : 0;
      if (!starts(offset, "%}")) continue;
      emit_text(begin, sign, false);
      advance_to(after_block_end(offset + 2, end_sign));
      return;
    }
    throw fail<FormatError>("chat template, line {}: {{% raw %}} has no {{% endraw %}}", line);
  }

  void lex_tag(bool is_block) {
    const int begin_line = line_;
    std::string braces;  // closing ones that are due
    while (true) {
      advance_to(skip_space(position_));
      if (position_ >= rest_.size()) {
        throw fail<FormatError>("chat template, line {}: a tag has no end", begin_line);
      }
      if (braces.empty() && lex_tag_end(is_block)) return;
      const char c = rest_[position_];
      if (is_ascii_digit(c)) {
        lex_number();
      } else if (c == '"' || c == '\'') {
        lex_string(c);
      } else if (is_name_start(utf8_decode(rest_, position_).value)) {
        lex_name();
      } else {
        lex_operator(braces);
      }
    }
  }

  bool lex_tag_end(bool is_block) {
    const std::string_view close = is_block ? "%}" : "}}";
    const char sign = is_sign(rest_[position_]) ? rest_[position_] : '\0';
    if (sign == '+' && !is_block) return false;
    const size_t offset = position_ + (sign != '\0' ? 1 : 0);
    if (!starts(offset, close)) return false;
    add(is_block ? Type::kBlockEnd : Type::kVariableEnd, std::string(close));
    if (is_block) {
      advance_to(after_block_end(offset + 2, sign));
    } else {
      advance_to(sign == '-' ? skip_space(offset + 2) : offset + 2);
    }
    return true;
  }

  void lex_name() {
    size_t end = position_;
    while (end < rest_.size()) {
      const CodePoint c = utf8_decode(rest_, end);
      if (!is_word(c.value)) break;
      end += c.bytes;
    }
    add(Type::kName, std::string(rest_.substr(position_, end - position_)));
    advance_to(end);
  }

  void lex_number() {
    size_t end = position_;
    const auto digits = [&] {
      while (is_ascii_digit(at(end)) || (at(end) == '_' && is_ascii_digit(at(end + 1)))) ++end;
    };
    Type type = Type::kInteger;
    if (rest_[end] == '0' && (at(end + 1) == 'x' || at(end + 1) == 'o' || at(end + 1) == 'b')) {
      throw fail<Unsupported>("chat template, line {}: numbers other than decimal are not supported", line_);
    }
    digits();
    if (at(end) == '.' && is_ascii_digit(at(end + 1)) && (position_ == 0 || rest_[position_ - 1] != '.')) {
      type = Type::kFloat;
      ++end;
      digits();
    }
    if (at(end) == 'e' || at(end) == 'E') {
      const size_t exponent = end + (is_sign(at(end + 1)) ? 2 : 1);
      if (is_ascii_digit(at(exponent))) {
        type = Type::kFloat;
        end = exponent;
        digits();
      }
    }
    std::string text(rest_.substr(position_, end - position_));
    std::erase(text, '_');
    add(type, std::move(text));
    advance_to(end);
  }

  void lex_string(char quote) {
    std::string value;
    size_t i = position_ + 1;
    while (i < rest_.size() && rest_[i] != quote) {
      if (rest_[i] == '\\' && i + 1 < rest_.size()) {
        i = lex_escape(i + 1, value);
      } else {
        value += rest_[i++];
      }
    }
    if (i >= rest_.size()) throw fail<FormatError>("chat template, line {}: a string has no end", line_);
    add(Type::kString, std::move(value));
    advance_to(i + 1);
  }

  // Python's escapes; one that it does not know stays as it is. Returns where to go on.
  size_t lex_escape(size_t i, std::string& value) {
    static constexpr std::string_view kNames = "ntrabfv\\'\"";
    static constexpr std::string_view kValues = "\n\t\r\a\b\f\v\\'\"";
    const char c = rest_[i];
    if (const size_t simple = kNames.find(c); simple != std::string_view::npos) {
      value += kValues[simple];
      return i + 1;
    }
    if (c == '\n') return i + 1;
    if (c >= '0' && c <= '7') {
      uint32_t code = 0;
      size_t end = i;
      for (; end < i + 3 && at(end) >= '0' && at(end) <= '7'; ++end)
        code = code * 8 + static_cast<uint32_t>(at(end) - '0');
      utf8_append(value, code);
      return end;
    }
    const size_t width = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (width == 0) {
      if (c == 'N') throw fail<Unsupported>("chat template, line {}: \\N{{...}} in a string is not supported", line_);
      value += '\\';
      value += c;
      return i + 1;
    }
    uint32_t code = hex(i + 1, width);
    size_t end = i + 1 + width;
    if (code >= 0xD800 && code < 0xDC00 && at(end) == '\\' && at(end + 1) == 'u') {
      const uint32_t low = hex(end + 2, 4);
      if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        end += 6;
      }
    }
    utf8_append(value, code);
    return end;
  }

  uint32_t hex(size_t offset, size_t width) const {
    uint32_t code = 0;
    for (size_t i = offset; i < offset + width; ++i) {
      const int digit = hex_digit(at(i));
      if (digit < 0) throw fail<FormatError>("chat template, line {}: a \\ escape needs {} hex digits", line_, width);
      code = code << 4 | static_cast<uint32_t>(digit);
    }
    return code;
  }

  void lex_operator(std::string& braces) {
    static constexpr std::array<std::string_view, 25> kOperators = {"==", "!=", ">=", "<=", "//", "**", "+", "-", "*",
                                                                    "/",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                                                    ">",  "<",  "=",  ".",  ":",  "|",  ","};
    for (const std::string_view op : kOperators) {
      if (!starts(position_, op)) continue;
      if (op == "(") braces += ')';
      if (op == "[") braces += ']';
      if (op == "{") braces += '}';
      if (op == ")" || op == "]" || op == "}") {
        if (braces.empty() || braces.back() != op[0]) {
          throw fail<FormatError>("chat template, line {}: '{}' closes nothing", line_, op);
        }
        braces.pop_back();
      }
      add(Type::kOperator, std::string(op));
      advance_to(position_ + op.size());
      return;
    }
    const CodePoint c = utf8_decode(rest_, position_);
    if (c.value < 0x20)
      throw fail<FormatError>("chat template, line {}: unexpected byte 0x{:02x}", line_,
                              static_cast<uint8_t>(rest_[position_]));
    throw fail<FormatError>("chat template, line {}: unexpected character '{}'", line_,
                            rest_.substr(position_, c.bytes));
  }

  std::string source_;
  std::string_view rest_;
  size_t position_ = 0;
  int line_ = 1;
  bool line_starting_ = true;  // the last tag ended with a newline
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(source).run(); }

}  // namespace caravel::text::jinja
