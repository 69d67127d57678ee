#include "grammar/gbnf.h"

#include <algorithm>
#include <map>

#include "base/about_schema.h"
#include "base/error.h"
#include "base/numbers.h"
#include "base/utf8.h"
#include "grammar/code_points.h"
#include "grammar/json_schema.h"
#include "grammar/repetition.h"

namespace caravel::grammar {
namespace {

constexpr int kMostDeep = 200;

class GbnfParser {
 public:
  GbnfParser(std::string_view text, const std::vector<std::string>& schemas) : text_(text), schemas_(schemas) {}

  Grammar parse() {
    try {
      skip_space(true);
      while (place_ < text_.size()) parse_rule();
    } catch (const Unsupported& error) {
      throw fail<Unsupported>("grammar, line {}: {}", line(), error.what());
    } catch (const Error& error) {
      throw fail<InvalidArgument>("grammar, line {}: {}", line(), error.what());
    }
    for (size_t i = 0; i < schemas_.size(); ++i) embed_schema(i);
    for (const auto& [name, index] : indices_) {
      if (grammar_.rules[static_cast<size_t>(index)].expr == nullptr) {
        throw fail<InvalidArgument>("grammar: rule '{}' is used, but not defined", name);
      }
    }
    const auto root = indices_.find("root");
    if (root == indices_.end()) throw InvalidArgument("grammar: no rule is named 'root', with which a text begins");
    grammar_.root = root->second;
    return std::move(grammar_);
  }

 private:
  size_t line() const {
    return 1 + static_cast<size_t>(std::ranges::count(text_.substr(0, std::min(place_, text_.size())), '\n'));
  }
  char peek() const { return place_ < text_.size() ? text_[place_] : '\0'; }
  bool at_end() const { return place_ >= text_.size(); }

  void skip_space(bool newlines) {
    while (!at_end()) {
      const char c = peek();
      if (c == '#') {
        while (!at_end() && peek() != '\n' && peek() != '\r') ++place_;
      } else if (c == ' ' || c == '\t' || (newlines && (c == '\n' || c == '\r'))) {
        ++place_;
      } else {
        return;
      }
    }
  }

  static bool in_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  }
  std::string_view take_name() {
    const size_t begin = place_;
    while (in_name(peek())) ++place_;
    if (place_ == begin) throw fail<InvalidArgument>("expected a rule's name, found {}", found());
    return text_.substr(begin, place_ - begin);
  }
  std::string found() const { return at_end() ? "the end" : fmt::format("'{}'", printable(text_.substr(place_, 10))); }
  static std::string printable(std::string_view text) {
    std::string out;
    for (const char c : text) out += c < ' ' ? ' ' : c;
    return out;
  }

  int rule_index(std::string_view name) {
    const auto [found, is_new] = indices_.try_emplace(std::string(name), static_cast<int>(grammar_.rules.size()));
    if (is_new) grammar_.rules.push_back({std::string(name), nullptr});
    return found->second;
  }

  void parse_rule() {
    const std::string_view name = take_name();
    skip_space(false);
    if (text_.substr(place_, 3) != "::=")
      throw fail<InvalidArgument>("expected ::= after '{}', found {}", name, found());
    place_ += 3;
    skip_space(true);
    const int index = rule_index(name);
    ExprPtr expr = parse_choice(0);
    if (grammar_.rules[static_cast<size_t>(index)].expr != nullptr) {
      throw fail<InvalidArgument>("rule '{}' is defined twice", name);
    }
    grammar_.rules[static_cast<size_t>(index)].expr = std::move(expr);
    if (!at_end() && peek() != '\n' && peek() != '\r') {
      throw fail<InvalidArgument>("expected the end of the line, found {}", found());
    }
    skip_space(true);
  }

  ExprPtr parse_choice(int depth) {
    if (depth > kMostDeep) throw fail<Unsupported>("groups lie more than {} deep", kMostDeep);
    std::vector<ExprPtr> parts = {parse_sequence(depth)};
    while (peek() == '|') {
      ++place_;
      skip_space(true);
      parts.push_back(parse_sequence(depth));
    }
    return choice(std::move(parts));
  }

  ExprPtr parse_sequence(int depth) {
    std::vector<ExprPtr> parts;
    while (ExprPtr part = parse_primary(depth)) {
      skip_space(depth > 0);
      parts.push_back(parse_repetitions(std::move(part), depth));
    }
    return sequence(std::move(parts));
  }

  /// Null where none begins.
  ExprPtr parse_primary(int depth) {
    const char c = peek();
    if (at_end()) return nullptr;
    if (c == '"') return parse_literal();
    if (c == '[') return parse_class();
    if (c == '.') {
      ++place_;
      return chars({{0, kLastChar}});
    }
    if (c == '(') {
      ++place_;
      skip_space(true);
      ExprPtr group = parse_choice(depth + 1);
      if (peek() != ')') throw fail<InvalidArgument>("expected ), found {}", found());
      ++place_;
      return group;
    }
    if (c == '<' || c == '!') throw Unsupported("tokens by name or id, as in <token>, are not supported");
    if (in_name(c)) return rule_ref(rule_index(take_name()));
    return nullptr;
  }

  ExprPtr parse_repetitions(ExprPtr part, int depth) {
    for (int times = 0;; ++times) {
      if (times > kMostDeep) throw fail<Unsupported>("more than {} repetitions of one part", kMostDeep);
      const char c = peek();
      if (c == '*' || c == '+' || c == '?') {
        part = repeat(std::move(part), c == '+' ? 1 : 0, c == '?' ? 1 : kUnbounded);
        ++place_;
      } else if (c == '{') {
        const std::optional<Repetition> times_of = parse_braces(text_, place_);
        if (!times_of) throw fail<InvalidArgument>("expected {{m}}, {{m,}} or {{m,n}}, found {}", found());
        part = repeat(std::move(part), times_of->min, times_of->max);
      } else {
        return part;
      }
      skip_space(depth > 0);
    }
  }

  char32_t take_hex(int digits) {
    char32_t value = 0;
    for (int i = 0; i < digits; ++i, ++place_) {
      const int digit = hex_digit(peek());
      if (digit < 0) throw fail<InvalidArgument>("expected {} hexadecimal digits, found {}", digits, found());
      value = value << 4 | static_cast<char32_t>(digit);
    }
    return checked_char(value);
  }

  char32_t take_char() {
    if (at_end()) throw InvalidArgument("a literal or class is not closed");
    if (peek() != '\\') return next_char(text_, place_);
    ++place_;
    const char c = peek();
    if (!at_end()) ++place_;
    switch (c) {
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case '\\':
      case '"':
      case '[':
      case ']':
      case '-':
      case '^':
        return static_cast<char32_t>(c);
      case 'x':
        return take_hex(2);
      case 'u':
        return take_hex(4);
      case 'U':
        return take_hex(8);
      default:
        --place_;
        throw fail<InvalidArgument>("unknown escape \\{}", found());
    }
  }

  ExprPtr parse_literal() {
    ++place_;
    std::string text;
    while (peek() != '"' || at_end()) append_utf8(take_char(), text);
    ++place_;
    return bytes(std::move(text));
  }

  ExprPtr parse_class() {
    ++place_;
    const bool negated = peek() == '^';
    if (negated) ++place_;
    std::vector<CharRange> ranges;
    while (peek() != ']' || at_end()) {
      CharRange range;
      range.first = range.last = take_char();
      if (peek() == '-' && text_.substr(place_ + 1, 1) != "]") {
        ++place_;
        range.last = take_char();
        if (range.last < range.first) throw InvalidArgument("a range in a class ends before it begins");
      }
      ranges.push_back(range);
    }
    ++place_;
    return chars(negated ? complement(std::move(ranges)) : std::move(ranges));
  }

  Grammar read_schema(size_t number) const {
    constexpr std::string_view kPrefix = "JSON schema: ";
    const auto problem = [&](const Error& error) {
      const std::string_view what = error.what();
      return std::string(what.substr(what.starts_with(kPrefix) ? kPrefix.size() : 0));
    };
    try {
      return parse_json_schema(schemas_[number]);
    } catch (const Unsupported& error) {
      throw SchemaError<Unsupported>(number, problem(error));
    } catch (const InvalidArgument& error) {
      throw SchemaError<InvalidArgument>(number, problem(error));
    }
  }

  /// The schema's rules go behind those of the text.
  void embed_schema(size_t number) {
    const std::string name = fmt::format("schema-{}", number);
    const int index = rule_index(name);
    if (grammar_.rules[static_cast<size_t>(index)].expr != nullptr) {
      throw fail<InvalidArgument>("grammar: rule '{}' is defined, but a schema is to have that name", name);
    }
    const Grammar schema = read_schema(number);
    for (const Grammar::Annotation& annotation : schema.ignored) {
      const auto& known = grammar_.ignored;
      if (std::ranges::find(known, annotation.name, &Grammar::Annotation::name) == known.end()) {
        grammar_.ignored.push_back(annotation);
      }
    }
    const int first = static_cast<int>(grammar_.rules.size());
    std::map<const Expr*, ExprPtr> moved;
    for (const Grammar::Rule& rule : schema.rules) {
      Grammar::Rule& own = grammar_.rules.emplace_back(rule);
      own.name = fmt::format("{}: {}", name, rule.name);
      own.expr = with_rules_from(first, rule.expr, moved);
      own.schema = static_cast<int>(number);
    }
    grammar_.rules[static_cast<size_t>(index)].expr = rule_ref(first + schema.root);
  }

  /// `expr` with its rules numbered from `first` on.
  static ExprPtr with_rules_from(int first, const ExprPtr& expr, std::map<const Expr*, ExprPtr>& moved) {
    if (const auto found = moved.find(expr.get()); found != moved.end()) return found->second;
    Expr copy = *expr;
    if (copy.kind == Expr::Kind::kRule) copy.rule += first;
    for (ExprPtr& part : copy.parts) part = with_rules_from(first, part, moved);
    for (Expr::Member& member : copy.members) member.expr = with_rules_from(first, member.expr, moved);
    return moved.emplace(expr.get(), std::make_shared<const Expr>(std::move(copy))).first->second;
  }

  std::string_view text_;
  const std::vector<std::string>& schemas_;
  size_t place_ = 0;
  Grammar grammar_;
  std::map<std::string, int, std::less<>> indices_;
};

}  // namespace

Grammar parse_gbnf(std::string_view text, const std::vector<std::string>& schemas) {
  return GbnfParser(text, schemas).parse();
}

}  // namespace caravel::grammar
