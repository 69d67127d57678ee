#include <algorithm>

#include "base/error.h"
#include "text/jinja/filter_table.h"
#include "text/jinja/methods.h"
#include "text/jinja/operators.h"
#include "text/jinja/python_format.h"
#include "text/jinja/python_text.h"
#include "text/jinja/text_operations.h"

namespace caravel::text::jinja {
namespace {

template <bool kLeft, bool kRight>
Value strip_method(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const auto [chars] = arguments.bind("strip", {"chars"});
  interpreter.budget().text(self.string().size());
  return Value(stripped(interpreter, self.string(), chars, kLeft, kRight), self.is_markup());
}

template <std::string (*kMap)(std::string_view)>
Value mapped(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  arguments.expect_none("upper, lower, title or capitalize");
  interpreter.budget().text(self.string().size());
  return Value(kMap(self.string()), self.is_markup());
}

Value list_of(const std::vector<std::string_view>& parts, Budget& budget) {
  std::vector<Value> items;
  budget.items(parts.size());
  items.reserve(parts.size());
  for (const std::string_view part : parts) items.emplace_back(std::string(part));
  return Value::sequence(std::move(items));
}

// str.split() without a separator: runs of whitespace part, the ends give nothing.
std::vector<std::string_view> split_space(std::string_view text, int64_t limit, bool from_right) {
  std::vector<std::string_view> parts;
  while (true) {
    text = strip(text, nullptr, !from_right, from_right);
    if (text.empty()) break;
    if (limit >= 0 && static_cast<int64_t>(parts.size()) == limit) {
      parts.push_back(strip(text, nullptr, from_right, !from_right));
      break;
    }
    size_t start = 0;  // where the word begins
    size_t end = text.size();
    for (size_t offset = 0; offset < text.size();) {
      const CodePoint c = utf8_decode(text, offset);
      if (is_python_space(c.value)) {
        if (!from_right) {
          end = offset;
          break;
        }
        start = offset + c.bytes;
      }
      offset += c.bytes;
    }
    parts.push_back(text.substr(start, end - start));
    text = from_right ? text.substr(0, start) : text.substr(end);
  }
  if (from_right) std::reverse(parts.begin(), parts.end());
  return parts;
}

template <bool kFromRight>
Value split(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const auto [separator, max_split] = arguments.bind("split", {"sep", "maxsplit"});
  const int64_t limit = integer_or(max_split, -1);
  std::string_view text = self.string();
  Budget& budget = interpreter.budget();
  budget.text(text.size());
  if (separator == nullptr || separator->is_none()) {
    // From the right each word is found by a pass from the left.
    if (kFromRight)
      budget.step(static_cast<int64_t>(text.size()) * (limit < 0 ? 1 : std::min<int64_t>(limit, 64)) / 64);
    return list_of(split_space(text, limit, kFromRight && limit >= 0), budget);
  }
  const std::string& by = string_argument("split", "sep", separator);
  if (by.empty()) throw InvalidArgument("split(): the separator is empty");
  std::vector<std::string_view> parts;
  while (limit < 0 || static_cast<int64_t>(parts.size()) < limit) {
    budget.step();
    const size_t found = kFromRight ? text.rfind(by) : find_text(text, by);
    if (found == std::string_view::npos) break;
    parts.push_back(kFromRight ? text.substr(found + by.size()) : text.substr(0, found));
    text = kFromRight ? text.substr(0, found) : text.substr(found + by.size());
  }
  parts.push_back(text);
  if (kFromRight) std::reverse(parts.begin(), parts.end());
  return list_of(parts, budget);
}

Value split_lines_method(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const auto [keep] = arguments.bind("splitlines", {"keepends"});
  if (truth_or(keep, false)) throw InvalidArgument("splitlines(): keepends is not supported");
  interpreter.budget().text(self.string().size());
  return list_of(split_lines(self.string()), interpreter.budget());
}

// The bytes of self that [start, end) of characters takes.
std::string_view window(const Value& self, const Value* start, const Value* end) {
  std::string_view text = self.string();
  if (start == nullptr && end == nullptr) return text;
  const auto characters = utf8_characters(text);
  const auto length = static_cast<int64_t>(characters.size());
  const auto bound = [&](const Value* value, int64_t otherwise) {
    if (value == nullptr || value->is_none()) return otherwise;
    const int64_t index = integer_or(value, otherwise);
    return std::clamp<int64_t>(index < 0 ? index + length : index, 0, length);
  };
  const int64_t first = bound(start, 0);
  const int64_t last = std::max(bound(end, length), first);
  const auto byte_of = [&](int64_t i) {
    return i == length ? text.size() : static_cast<size_t>(characters[static_cast<size_t>(i)].data() - text.data());
  };
  return text.substr(byte_of(first), byte_of(last) - byte_of(first));
}

template <bool kStart>
Value has_end(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const auto [wanted, start, end] = arguments.bind(kStart ? "startswith" : "endswith", {"prefix", "start", "end"});
  const std::string_view text = window(self, start, end);
  const auto matches = [&](const Value& value) {
    const std::string& part = string_argument(kStart ? "startswith" : "endswith", "prefix", &value);
    return kStart ? text.starts_with(part) : text.ends_with(part);
  };
  if (wanted != nullptr && wanted->is_sequence(Sequence::Kind::kTuple)) {
    interpreter.budget().items(wanted->sequence().items.size());
    return std::any_of(wanted->sequence().items.begin(), wanted->sequence().items.end(), matches);
  }
  if (wanted == nullptr) throw InvalidArgument("startswith() and endswith() need a string");
  return matches(*wanted);
}

template <bool kFromRight, bool kMustExist>
Value find(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const auto [wanted, start, end] = arguments.bind("find", {"sub", "start", "end"});
  const std::string& part = string_argument("find", "sub", wanted);
  const std::string_view text = window(self, start, end);
  interpreter.budget().text(text.size());
  if (kFromRight)
    interpreter.budget().step(static_cast<int64_t>(std::min(text.size() / 64 * (part.size() + 1), size_t{1} << 40)));
  const size_t found = kFromRight ? text.rfind(part) : find_text(text, part);
  if (found != std::string_view::npos) {
    const auto offset = static_cast<size_t>(text.data() - self.string().data()) + found;
    return utf8_length(std::string_view(self.string()).substr(0, offset));
  }
  if (kMustExist) throw InvalidArgument("index(): the text is not in the string");
  return int64_t{-1};
}

Value count(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const auto [wanted, start, end] = arguments.bind("count", {"sub", "start", "end"});
  const std::string& part = string_argument("count", "sub", wanted);
  const std::string_view text = window(self, start, end);
  interpreter.budget().text(text.size());
  if (part.empty()) return utf8_length(text) + 1;
  int64_t times = 0;
  for (size_t at = find_text(text, part); at != std::string_view::npos; at = find_text(text, part, at + part.size()))
    ++times;
  return times;
}

Value replace(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const auto [from, to, limit] = arguments.bind("replace", {"old", "new", "count"});
  return Value(replaced(interpreter.budget(), self.string(), string_argument("replace", "old", from),
                        string_argument("replace", "new", to), integer_or(limit, -1)),
               self.is_markup());
}

Value join(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const auto [items] = arguments.bind("join", {"iterable"});
  if (items == nullptr) throw InvalidArgument("join() needs items");
  std::vector<std::string> parts;
  for (const Value& item : iterate(*items, interpreter.budget()))
    parts.push_back(string_argument("join", "item", &item));
  return Value(joined(interpreter.budget(), self.string(), parts), self.is_markup());
}

Value format(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  return Value(format_braces(interpreter, self.string(), arguments), self.is_markup());
}

template <bool kPrefix>
Value remove_affix(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const auto [affix] = arguments.bind("removeprefix", {"affix"});
  const std::string& part = string_argument("removeprefix", "affix", affix);
  const std::string& text = self.string();
  interpreter.budget().text(text.size());
  if (kPrefix ? !text.starts_with(part) : !text.ends_with(part)) return self;
  return kPrefix ? text.substr(part.size()) : text.substr(0, text.size() - part.size());
}

// All characters pass and there is one; where `cased_only`, those without case do not matter.
template <bool (*kPasses)(int32_t), bool kCasedOnly = false>
Value all_characters(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  arguments.expect_none("is...");
  interpreter.budget().text(self.string().size());
  bool any = false;
  for (size_t offset = 0; offset < self.string().size();) {
    const CodePoint c = utf8_decode(self.string(), offset);
    offset += c.bytes;
    if (kCasedOnly && !is_cased(c.value)) continue;
    if (!kPasses(c.value)) return false;
    any = true;
  }
  return any;
}

constexpr NamedFunction kMethods[] = {
    {"capitalize", mapped<capitalize>},
    {"count", count},
    {"endswith", has_end<false>},
    {"find", find<false, false>},
    {"format", format},
    {"index", find<false, true>},
    {"isalpha", all_characters<is_alpha>},
    {"isdigit", all_characters<is_digit>},
    {"islower", all_characters<is_lower, true>},
    {"isspace", all_characters<is_python_space>},
    {"isupper", all_characters<is_upper, true>},
    {"join", join},
    {"lower", mapped<to_lower>},
    {"lstrip", strip_method<true, false>},
    {"removeprefix", remove_affix<true>},
    {"removesuffix", remove_affix<false>},
    {"replace", replace},
    {"rfind", find<true, false>},
    {"rsplit", split<true>},
    {"rstrip", strip_method<false, true>},
    {"split", split<false>},
    {"splitlines", split_lines_method},
    {"startswith", has_end<true>},
    {"strip", strip_method<true, true>},
    {"title", mapped<title_case>},
    {"upper", mapped<to_upper>},
};

}  // namespace

Builtin::Function find_string_method(std::string_view name) { return find_function(kMethods, name); }

}  // namespace caravel::text::jinja
