#include "text/regex_syntax.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/numbers.h"
#include "base/unicode_classes.h"
#include "base/utf8.h"

namespace caravel::text {
namespace {

const CodePointSet& named(std::string_view name) { return *unicode_class(name); }

/// \w outside of brackets, where Oniguruma has Latin-1's superscript digits and fractions in it; within, it has not.
const CodePointSet& word_alone() {
  static const CodePointSet set = unite(named("word"), {{0xB2, 0xB3}, {0xB9, 0xB9}, {0xBC, 0xBE}});
  return set;
}

const CodePointSet& changed() {
  static const CodePointSet set(changed_since_unicode_14().begin(), changed_since_unicode_14().end());
  return set;
}

/// A part of PCRE2's classes that is the same in Unicode 14 and 16 but for what has changed.
struct Building {
  std::string pcre2;
  CodePointSet members;  // without what has changed
};

/// The groups before what they consist of: a set is spelled by the largest that it holds.
const std::vector<Building>& buildings() {
  static const std::vector<Building> all = [] {
    std::vector<Building> made;
    const CodePointSet unchanged = complement(changed());
    for (const char* name : {"L", "M", "N", "P", "S", "Z"}) {
      made.push_back({fmt::format("\\p{{{}}}", name), intersect(named(name), unchanged)});
    }
    for (int i = 0; i < kGeneralCategories; ++i) {
      const auto category = static_cast<GeneralCategory>(i);
      if (category == GeneralCategory::kCn || category == GeneralCategory::kCs) continue;
      const std::string_view name = category_name(category);
      made.push_back({fmt::format("\\p{{{}}}", name), intersect(named(name), unchanged)});
    }
    return made;
  }();
  return all;
}

/// What stands between the brackets of a class.
std::string class_items(CodePointSet set, CharacterSet characters) {
  std::string items;
  // A class of a few ranges is quicker by these.
  constexpr size_t kFewRanges = 12;
  CodePointSet spelled;
  if (set.size() > kFewRanges) {
    for (const Building& part : buildings()) {
      if (part.members.empty() || intersect(part.members, set) != part.members) continue;
      if (intersect(part.members, spelled) == part.members) continue;
      items += part.pcre2;
      spelled = unite(spelled, part.members);
    }
  }
  CodePointSet rest = intersect(set, complement(spelled));
  if (characters == CharacterSet::kUnicode14) rest = intersect(rest, complement(changed()));
  rest = intersect(rest, complement({{0xD800, 0xDFFF}}));  // no text has them, and PCRE2 refuses their names
  for (const CodePointRange& range : rest) {
    items += fmt::format("\\x{{{:x}}}", static_cast<uint32_t>(range.first));
    if (range.last != range.first) items += fmt::format("-\\x{{{:x}}}", static_cast<uint32_t>(range.last));
  }
  return items;
}

class Rewriter {
 public:
  Rewriter(std::string_view pattern, CharacterSet characters) : pattern_(pattern), characters_(characters) {}

  std::string run() {
    while (at_ < pattern_.size()) {
      if (pattern_[at_] == '\\') {
        escape();
      } else if (pattern_[at_] == '[') {
        const size_t begin = at_++;
        if (const auto set = read_class()) {
          out_ += bracketed(*set);
        } else {
          at_ = plain_class_end(begin);
          out_ += pattern_.substr(begin, at_ - begin);
        }
      } else {
        out_ += pattern_[at_++];
      }
    }
    return std::move(out_);
  }

 private:
  struct Class {
    CodePointSet set;
    bool negated = false;
  };

  std::string bracketed(Class c) const {
    // What holds the unassigned code points, as \S does, is shorter by what it does not hold.
    if (contains(c.set, kLastCodePoint)) c = {complement(c.set), !c.negated};
    std::string items = class_items(c.set, characters_);
    if (items.empty()) return c.negated ? "[\\x{0}-\\x{10ffff}]" : "(?!)";
    // One property alone is matched faster without brackets.
    if (items.starts_with("\\p{") && items.find('}') + 1 == items.size()) {
      if (c.negated) items[1] = 'P';
      return items;
    }
    return fmt::format("[{}{}]", c.negated ? "^" : "", items);
  }

  bool has(size_t count) const { return at_ + count <= pattern_.size(); }

  void escape() {
    const size_t begin = at_;
    if (auto set = class_escape()) {
      if (set->set == named("word")) set->set = word_alone();
      out_ += bracketed(*set);
      return;
    }
    at_ = begin;
    const char c = has(2) ? pattern_[at_ + 1] : '\0';
    if (c == 'b' || c == 'B') {
      const std::string word = bracketed({word_alone()});
      out_ += c == 'b' ? fmt::format("(?:(?<={0})(?!{0})|(?<!{0})(?={0}))", word)
                       : fmt::format("(?:(?<={0})(?={0})|(?<!{0})(?!{0}))", word);
      at_ += 2;
      return;
    }
    if (const auto code = c == 'u' ? hexadecimal(at_ + 2, 4) : std::nullopt) {
      out_ += fmt::format("\\x{{{:x}}}", static_cast<uint32_t>(*code));
      at_ += 6;
      return;
    }
    out_ += pattern_.substr(at_, 2);
    at_ = std::min(at_ + 2, pattern_.size());
  }

  /// \p{...}, \s and their like at at_, which moves behind them; nothing, and at_ is anywhere, where there is none.
  std::optional<Class> class_escape() {
    if (!has(2)) return std::nullopt;
    const char c = pattern_[at_ + 1];
    at_ += 2;
    static constexpr std::pair<char, std::string_view> kShort[] = {{'s', "space"}, {'d', "digit"}, {'w', "word"}};
    for (const auto& [letter, name] : kShort) {
      if (c == letter) return Class{named(name)};
      if (c == letter - 'a' + 'A') return Class{named(name), true};
    }
    if (c == 'h' || c == 'H') return Class{{{'0', '9'}, {'A', 'F'}, {'a', 'f'}}, c == 'H'};
    if ((c != 'p' && c != 'P') || !has(1) || pattern_[at_] != '{') return std::nullopt;
    const size_t end = pattern_.find('}', at_);
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view name = pattern_.substr(at_ + 1, end - at_ - 1);
    const bool hat = name.starts_with('^');
    if (hat) name.remove_prefix(1);
    const CodePointSet* set = unicode_class(name);
    if (set == nullptr) return std::nullopt;
    at_ = end + 1;
    return Class{*set, hat != (c == 'P')};
  }

  std::optional<char32_t> hexadecimal(size_t begin, size_t count) const {
    if (begin + count > pattern_.size()) return std::nullopt;
    const auto value = parse_number<uint32_t>(pattern_.substr(begin, count), 16);
    return value && *value <= kLastCodePoint ? std::optional<char32_t>(*value) : std::nullopt;
  }

  /// The character at at_, escaped or not, which at_ moves behind; nothing where it is none that a class may hold.
  std::optional<char32_t> class_character() {
    if (!has(1)) return std::nullopt;
    if (pattern_[at_] != '\\') {
      const Utf8Sequence s = next_utf8(pattern_.substr(at_));
      at_ += s.length;
      return s.kind == Utf8Sequence::kCharacter ? std::optional(s.code_point) : std::nullopt;
    }
    if (!has(2)) return std::nullopt;
    const char c = pattern_[at_ + 1];
    at_ += 2;
    static constexpr std::pair<char, char32_t> kControls[] = {{'n', '\n'}, {'t', '\t'}, {'r', '\r'},   {'f', '\f'},
                                                              {'v', '\v'}, {'a', '\a'}, {'e', '\x1B'}, {'b', '\b'}};
    for (const auto& [letter, control] : kControls) {
      if (c == letter) return control;
    }
    if (c == 'u') return take_hexadecimal(4);
    if (c == 'x' && has(1) && pattern_[at_] == '{') {
      const size_t end = pattern_.find('}', at_);
      if (end == std::string_view::npos) return std::nullopt;
      const auto code = hexadecimal(at_ + 1, end - at_ - 1);
      at_ = end + 1;
      return code;
    }
    if (c == 'x') return take_hexadecimal(2);
    if (c >= '0' && c <= '7') return std::nullopt;  // octal: PCRE2 reads it itself
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return std::nullopt;
    at_ -= 1;
    const Utf8Sequence s = next_utf8(pattern_.substr(at_));
    at_ += s.length;
    return s.kind == Utf8Sequence::kCharacter ? std::optional(s.code_point) : std::nullopt;
  }

  std::optional<char32_t> take_hexadecimal(size_t count) {
    const auto code = hexadecimal(at_, count);
    at_ += count;
    return code;
  }

  /// "[:alpha:]" at at_, which moves behind it.
  std::optional<Class> posix_bracket() {
    const size_t end = pattern_.find(":]", at_ + 2);
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view name = pattern_.substr(at_ + 2, end - at_ - 2);
    const bool hat = name.starts_with('^');
    if (hat) name.remove_prefix(1);
    static constexpr std::string_view kNames[] = {"alpha", "alnum", "digit", "punct",
                                                  "space", "upper", "lower", "word"};
    if (name == "xdigit") {
      at_ = end + 2;
      return Class{{{'0', '9'}, {'A', 'F'}, {'a', 'f'}}, hat};
    }
    if (std::ranges::find(kNames, name) == std::end(kNames)) return std::nullopt;
    at_ = end + 2;
    return Class{named(name), hat};
  }

  /// Behind the ']' of a class that begins at `begin`, as PCRE2 finds it.
  size_t plain_class_end(size_t begin) const {
    size_t at = begin + 1;
    if (at < pattern_.size() && pattern_[at] == '^') ++at;
    for (const size_t first = at; at < pattern_.size(); ++at) {
      if (pattern_[at] == '\\') {
        ++at;
      } else if (pattern_[at] == ']' && at != first) {
        return at + 1;
      }
    }
    return pattern_.size();
  }

  /// What follows a '[', to the ']' that closes it; at_ is behind that. Nothing where something in it is not
  /// understood: then at_ is anywhere.
  std::optional<Class> read_class() {
    Class result;
    if (has(1) && pattern_[at_] == '^') {
      result.negated = true;
      ++at_;
    }
    std::optional<CodePointSet> left;  // of &&
    CodePointSet ranges;
    const auto add = [&](const Class& c) {
      const CodePointSet set = c.negated ? complement(c.set) : c.set;
      ranges.insert(ranges.end(), set.begin(), set.end());
    };
    for (bool first = true; has(1); first = false) {
      const char c = pattern_[at_];
      if (c == ']' && !first) {
        ++at_;
        CodePointSet right = make_code_point_set(std::move(ranges));
        result.set = left ? intersect(*left, right) : std::move(right);
        return result;
      }
      if (pattern_.substr(at_).starts_with("&&")) {
        at_ += 2;
        CodePointSet right = make_code_point_set(std::exchange(ranges, {}));
        left = left ? intersect(*left, right) : std::move(right);
        continue;
      }
      if (c == '[') {
        const auto inner = pattern_.substr(at_).starts_with("[:") ? posix_bracket() : (++at_, read_class());
        if (!inner) return std::nullopt;
        add(*inner);
        continue;
      }
      const size_t begin = at_;
      if (c == '\\') {
        if (const auto set = class_escape()) {
          add(*set);
          continue;
        }
        at_ = begin;
      }
      const auto low = class_character();
      if (!low) return std::nullopt;
      CodePointRange range{*low, *low};
      if (has(2) && pattern_[at_] == '-' && pattern_[at_ + 1] != ']' && pattern_[at_ + 1] != '[') {
        ++at_;
        const auto high = class_character();
        if (!high || *high < *low) return std::nullopt;
        range.last = *high;
      }
      ranges.push_back(range);
    }
    return std::nullopt;
  }

  std::string_view pattern_;
  CharacterSet characters_;
  size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string to_pcre2(std::string_view pattern, CharacterSet characters) { return Rewriter(pattern, characters).run(); }

bool has_new_characters(std::string_view text) {
  const char32_t least = changed().front().first;
  for (size_t i = ascii_prefix(text); i < text.size();) {
    const size_t length = char_length(text[i]);
    if (length > 1) {
      const char32_t c = next_utf8(text.substr(i)).code_point;
      if (c >= least && contains(changed(), c)) return true;
    }
    i += length;
  }
  return false;
}

}  // namespace caravel::text
