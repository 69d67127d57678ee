#include "grammar/regex_parser.h"

#include <algorithm>

#include "base/error.h"
#include "base/numbers.h"
#include "base/utf8.h"
#include "grammar/code_points.h"
#include "grammar/fsm.h"
#include "grammar/repetition.h"
#include "grammar/unicode_property.h"

namespace caravel::grammar {
namespace {

constexpr int kMostGroupsDeep = 200;

const std::vector<CharRange> kDigits = {{'0', '9'}};
const std::vector<CharRange> kWord = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const std::vector<CharRange> kSpace = {{'\t', '\r'},     {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680},
                                       {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
                                       {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
constexpr std::string_view kPropertyChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-= ";
const std::vector<CharRange> kLineEnds = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

class RegexParser {
 public:
  /// tail: what may follow a match until the text ends; look-ahead sees it.
  RegexParser(std::string_view text, ExprPtr tail) : text_(text), tail_(std::move(tail)) {}

  ExprPtr parse() {
    try {
      ExprPtr expr = parse_choice(0);
      if (!at_end()) throw fail<InvalidArgument>("unmatched '{}'", peek());
      return expr;
    } catch (const Unsupported& error) {
      throw fail<Unsupported>("{} (byte {} of the regular expression)", error.what(), place_);
    } catch (const Error& error) {
      throw fail<InvalidArgument>("{} (byte {} of the regular expression)", error.what(), place_);
    }
  }

 private:
  using Ranges = std::vector<CharRange>;

  bool at_end() const { return place_ >= text_.size(); }
  char peek(size_t ahead = 0) const { return place_ + ahead < text_.size() ? text_[place_ + ahead] : '\0'; }
  bool take(std::string_view what) {
    if (!text_.substr(std::min(place_, text_.size())).starts_with(what)) return false;
    place_ += what.size();
    return true;
  }

  ExprPtr parse_choice(int depth) {
    if (depth > kMostGroupsDeep) throw fail<Unsupported>("groups lie more than {} deep", kMostGroupsDeep);
    std::vector<ExprPtr> parts = {parse_sequence(depth)};
    while (take("|")) parts.push_back(parse_sequence(depth));
    return choice(std::move(parts));
  }

  ExprPtr parse_sequence(int depth) {
    std::vector<ExprPtr> parts;
    std::vector<LookAhead> looks;
    while (!at_end() && peek() != '|' && peek() != ')') {
      const size_t begin = place_;
      if (depth == 0 && text_.substr(place_).starts_with("(?") && (peek(2) == '=' || peek(2) == '!')) {
        looks.push_back(parse_look_ahead(parts.size()));
        continue;
      }
      ExprPtr atom = parse_atom(depth);
      const bool anchor = atom->kind == Expr::Kind::kBegin || atom->kind == Expr::Kind::kEnd;
      parts.push_back(parse_quantifier(std::move(atom), anchor, begin));
    }
    if (depth > 0) return sequence(std::move(parts));
    if (tail_ != nullptr) parts.push_back(tail_);
    for (; !looks.empty(); looks.pop_back()) look_ahead(parts, looks.back());
    return sequence(std::move(parts));
  }

  struct LookAhead {
    size_t place;  // the parts before it
    ExprPtr what;
    bool negated;
  };

  /// At a pattern's own level alone: there all that follows is known.
  LookAhead parse_look_ahead(size_t place) {
    place_ += 2;
    LookAhead look{.place = place, .what = nullptr, .negated = take("!")};
    if (!look.negated) take("=");
    look.what = parse_choice(1);
    if (!take(")")) throw InvalidArgument("a group is not closed");
    if (peek() == '*' || peek() == '+' || peek() == '?' || peek() == '{') {
      throw Unsupported("look-ahead that is repeated is not supported");
    }
    return look;
  }

  /// What stands behind `look` in `parts` becomes one machine, of the texts that it allows there.
  static void look_ahead(std::vector<ExprPtr>& parts, const LookAhead& look) {
    constexpr const char* kWhat = "what look-ahead allows";
    const auto from = parts.begin() + static_cast<std::ptrdiff_t>(look.place);
    std::vector<ExprPtr> rest(from, parts.end());
    parts.erase(from, parts.end());
    const auto is_begin = [](const ExprPtr& part) { return part->kind == Expr::Kind::kBegin; };
    const auto asks_for_begin = [](const ExprPtr& part) { return has_begin(*part); };
    // A machine of its own takes the place where it stands for the beginning.
    const bool begins = !parts.empty() && std::ranges::all_of(parts, is_begin);
    if (!begins && (has_begin(*look.what) || std::ranges::any_of(rest, asks_for_begin))) {
      throw Unsupported("^ inside or behind look-ahead is not supported: write it before");
    }
    const ExprPtr any = repeat(chars({{0, kLastChar}}), 0, kUnbounded);
    const Fsm seen = make_dfa(*sequence({look.what, any}), kWhat);
    const Fsm follows = make_dfa(*sequence(std::move(rest)), kWhat);
    parts.push_back(regular(
        std::make_shared<Fsm>(intersect(follows, look.negated ? grammar::complement(seen, kWhat) : seen, kWhat))));
  }

  static bool has_begin(const Expr& expr) {
    return expr.kind == Expr::Kind::kBegin ||
           std::ranges::any_of(expr.parts, [](const ExprPtr& part) { return has_begin(*part); });
  }

  ExprPtr parse_quantifier(ExprPtr atom, bool anchor, size_t begin) {
    std::optional<Repetition> times;
    if (take("*")) {
      times = {0, kUnbounded};
    } else if (take("+")) {
      times = {1, kUnbounded};
    } else if (take("?")) {
      times = {0, 1};
    } else if (peek() == '{') {
      times = parse_braces(text_, place_);
      if (!times) throw InvalidArgument("'{' that begins no quantifier: write \\{");
    }
    if (!times) return atom;
    if (anchor) throw fail<InvalidArgument>("'{}' cannot be repeated", text_.substr(begin, 1));
    if (take("+")) throw Unsupported("possessive quantifiers are not supported");
    take("?");  // lazy: the same texts match
    if (peek() == '*' || peek() == '+' || peek() == '?') {
      throw fail<InvalidArgument>("'{}' has nothing to repeat", peek());
    }
    return repeat(std::move(atom), times->min, times->max);
  }

  ExprPtr parse_atom(int depth) {
    switch (peek()) {
      case '(':
        return parse_group(depth);
      case '[':
        return parse_class();
      case '.':
        ++place_;
        return chars(complement(kLineEnds));
      case '^':
        ++place_;
        return std::make_shared<Expr>(Expr{.kind = Expr::Kind::kBegin});
      case '$':
        ++place_;
        return std::make_shared<Expr>(Expr{.kind = Expr::Kind::kEnd});
      case '*':
      case '+':
      case '?':
        throw fail<InvalidArgument>("'{}' has nothing to repeat", peek());
      case '{':
        throw InvalidArgument("'{' has nothing to repeat: write \\{");
      case '\\':
        return parse_escape();
      default:
        return literal(next_char(text_, place_));
    }
  }

  /// Classes of many ranges, as \p{L} is one, as their minimal machine: written out they take ten times its nodes, in
  /// each repetition.
  static ExprPtr one_of(Ranges ranges) {
    constexpr size_t kFew = 32;
    ExprPtr one = chars(std::move(ranges));
    if (one->chars.size() <= kFew) return one;
    return regular(std::make_shared<Fsm>(make_dfa(*one, "a class of characters")));
  }

  static ExprPtr literal(char32_t c) {
    std::string text;
    append_utf8(c, text);
    return bytes(std::move(text));
  }

  ExprPtr parse_group(int depth) {
    ++place_;
    if (take("?")) {
      if (peek() == '=' || peek() == '!') throw Unsupported("look-ahead inside of a group is not supported");
      if (peek() == '<' && (peek(1) == '=' || peek(1) == '!')) throw Unsupported("look-behind is not supported");
      if (take(":")) {
      } else if (take("<") || take("P<")) {
        const size_t end = text_.find('>', place_);
        if (end == std::string_view::npos || end == place_) throw InvalidArgument("a group's name is not closed");
        place_ = end + 1;
      } else if (take("P=")) {
        throw Unsupported("back-references are not supported");
      } else {
        throw fail<Unsupported>("groups that begin with (?{} are not supported", peek());
      }
    }
    ExprPtr group = parse_choice(depth + 1);
    if (!take(")")) throw InvalidArgument("a group is not closed");
    // A group is one part: what follows it must not be taken into it.
    return group;
  }

  ExprPtr parse_escape() {
    const char c = peek(1);
    if (c == 'b' || c == 'B') throw fail<Unsupported>("word boundaries (\\{}) are not supported", c);
    if (c >= '1' && c <= '9') throw Unsupported("back-references are not supported");
    if (c == 'k') throw Unsupported("back-references are not supported");
    if (c == 'A' || c == 'Z' || c == 'z' || c == 'G') {
      throw fail<Unsupported>("the anchor \\{} is not supported: write ^ or $", c);
    }
    Ranges ranges;
    if (take_class_escape(ranges)) return one_of(std::move(ranges));
    return literal(take_char_escape());
  }

  /// \d and its like, \p{...} and \P{...}.
  bool take_class_escape(Ranges& out) {
    const char c = peek(1);
    if (c == 'p' || c == 'P') {
      take_property(c == 'P', out);
      return true;
    }
    const Ranges* named = c == 'd' || c == 'D'   ? &kDigits
                          : c == 'w' || c == 'W' ? &kWord
                          : c == 's' || c == 'S' ? &kSpace
                                                 : nullptr;
    if (named == nullptr) return false;
    const Ranges ranges = c >= 'a' ? *named : complement(*named);
    out.insert(out.end(), ranges.begin(), ranges.end());
    place_ += 2;
    return true;
  }

  void take_property(bool negated, Ranges& out) {
    const size_t begin = place_ + 3;
    const size_t end = text_.find('}', place_);
    const bool braces = peek(2) == '{' && end != std::string_view::npos;
    const std::string_view property = braces ? text_.substr(begin, end - begin) : "";
    if (property.empty() || property.find_first_not_of(kPropertyChars) != std::string_view::npos) {
      throw fail<InvalidArgument>("\\{} needs the name of a Unicode property in braces, as in \\p{{Lu}}", peek(1));
    }
    Ranges ranges = unicode_property(property);
    if (negated) ranges = complement(std::move(ranges));
    out.insert(out.end(), ranges.begin(), ranges.end());
    place_ = end + 1;
  }

  char32_t take_hex(size_t digits) {
    char32_t value = 0;
    for (size_t i = 0; i < digits; ++i, ++place_) {
      const int digit = hex_digit(peek());
      if (digit < 0) throw fail<InvalidArgument>("expected {} hexadecimal digits", digits);
      value = value << 4 | static_cast<char32_t>(digit);
    }
    return value;
  }

  char32_t take_code_point() {
    if (take("{")) {
      const size_t end = text_.find('}', place_);
      if (end == std::string_view::npos || end == place_ || end - place_ > 6)
        throw InvalidArgument("\\u{ is not closed");
      const char32_t value = take_hex(end - place_);
      ++place_;
      return value;
    }
    char32_t value = take_hex(4);
    if (value >= 0xD800 && value <= 0xDBFF && take("\\u")) {
      const char32_t low = take_hex(4);
      if (low < 0xDC00 || low > 0xDFFF) throw InvalidArgument("half a surrogate pair");
      value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
    }
    return value;
  }

  char32_t take_char_escape() {
    ++place_;
    if (at_end()) throw InvalidArgument("it ends in a backslash");
    const char32_t c = next_char(text_, place_);
    char32_t value = c;
    switch (c) {
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'f':
        return '\f';
      case 'v':
        return '\v';
      case '0':
        if (peek() >= '0' && peek() <= '9') throw Unsupported("octal escapes are not supported: write \\xHH");
        return 0;
      case 'a':
        return 7;
      case 'c': {
        const char letter = peek();
        if ((letter | 0x20) < 'a' || (letter | 0x20) > 'z') throw InvalidArgument("\\c needs a letter");
        ++place_;
        return static_cast<char32_t>(letter & 0x1F);
      }
      case 'x':
        value = take_hex(2);
        break;
      case 'u':
        value = take_code_point();
        break;
      case 'U':
        value = take_hex(8);
        break;
      default:
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '1' && c <= '9')) {
          throw fail<InvalidArgument>("unknown escape \\{}", static_cast<char>(c));
        }
        return c;
    }
    return checked_char(value);
  }

  char32_t take_class_char() {
    if (at_end()) throw InvalidArgument("a class is not closed");
    if (peek() != '\\') return next_char(text_, place_);
    if (peek(1) == 'b') {
      place_ += 2;
      return '\b';
    }
    return take_char_escape();
  }

  ExprPtr parse_class() {
    ++place_;
    const bool negated = take("^");
    Ranges ranges;
    while (at_end() || peek() != ']') {
      if (text_.substr(std::min(place_, text_.size())).starts_with("[:")) {
        throw Unsupported("POSIX classes such as [:alpha:] are not supported");
      }
      if (peek() == '\\' && take_class_escape(ranges)) {
        if (peek() == '-' && peek(1) != ']') throw InvalidArgument("a range in a class begins with a class");
        continue;
      }
      CharRange range;
      range.first = range.last = take_class_char();
      if (peek() == '-' && peek(1) != ']' && place_ + 1 < text_.size()) {
        ++place_;
        Ranges other;
        if (peek() == '\\' && take_class_escape(other)) throw InvalidArgument("a range in a class ends with a class");
        range.last = take_class_char();
        if (range.last < range.first) throw InvalidArgument("a range in a class ends before it begins");
      }
      ranges.push_back(range);
    }
    ++place_;
    return one_of(negated ? complement(std::move(ranges)) : std::move(ranges));
  }

  std::string_view text_;
  const ExprPtr tail_;
  size_t place_ = 0;
};

}  // namespace

namespace {

/// A character takes a state of its own, but for those of classes: what cannot fit is refused before it is read.
void check_length(std::string_view pattern) {
  if (pattern.size() > kMaxNodes) {
    throw fail<Unsupported>("the regular expression is too large: it has {} bytes, and may take {} states",
                            pattern.size(), kMaxNodes);
  }
}

}  // namespace

ExprPtr parse_regex(std::string_view pattern) {
  check_length(pattern);
  return RegexParser(pattern, nullptr).parse();
}

ExprPtr parse_regex_search(std::string_view pattern) {
  check_length(pattern);
  const ExprPtr any = repeat(chars({{0, kLastChar}}), 0, kUnbounded);
  return sequence({any, RegexParser(pattern, any).parse()});
}

}  // namespace caravel::grammar
