#include <algorithm>

#include "base/error.h"
#include "text/jinja/filter_table.h"
#include "text/jinja/print.h"
#include "text/jinja/python_text.h"
#include "text/jinja/text_operations.h"

namespace caravel::text::jinja {
namespace {

std::string text_of(Interpreter& interpreter, const Value& value) { return to_str(value, interpreter.budget()); }

Value upper(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  arguments.expect_none("upper");
  return to_upper(text_of(interpreter, value));
}

Value lower(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  arguments.expect_none("lower");
  return to_lower(text_of(interpreter, value));
}

Value capitalize_filter(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  arguments.expect_none("capitalize");
  return capitalize(text_of(interpreter, value));
}

// Unlike str.title, a word starts only after space, '-' or an opening bracket.
Value title(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  arguments.expect_none("title");
  const std::string text = text_of(interpreter, value);
  std::string out;
  size_t start = 0;
  const auto flush = [&](size_t end) {
    if (end > start) {
      const size_t first = utf8_decode(text, start).bytes;
      out += to_upper(std::string_view(text).substr(start, first));
      out += to_lower(std::string_view(text).substr(start + first, end - start - first));
    }
  };
  for (size_t offset = 0; offset < text.size();) {
    const CodePoint c = utf8_decode(text, offset);
    const bool separates = is_python_space(c.value) || c.value == '-' || c.value == '(' || c.value == '{' ||
                           c.value == '[' || c.value == '<';
    if (separates) {
      flush(offset);
      out.append(text, offset, c.bytes);
      start = offset + c.bytes;
    }
    offset += c.bytes;
  }
  flush(text.size());
  return out;
}

Value trim(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const auto [chars] = arguments.bind("trim", {"chars"});
  const std::string text = text_of(interpreter, value);
  return Value(stripped(interpreter, text, chars, true, true), value.is_markup());
}

Value replace_filter(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const auto [from, to, count] = arguments.bind("replace", {"old", "new", "count"});
  if (from == nullptr || to == nullptr) throw InvalidArgument("replace needs what to replace and by what");
  const int64_t limit = count == nullptr || count->is_none() ? -1 : integer_or(count, -1);
  return replaced(interpreter.budget(), text_of(interpreter, value), text_of(interpreter, *from),
                  text_of(interpreter, *to), limit);
}

Value indent(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const auto [width, first, blank] = arguments.bind("indent", {"width", "first", "blank"});
  const std::string margin =
      width != nullptr && width->is_string() ? width->string() : spaces(interpreter.budget(), integer_or(width, 4));
  const std::string text = text_of(interpreter, value) + "\n";
  const std::vector<std::string_view> lines = split_lines(text);
  interpreter.budget().items(lines.size());
  interpreter.budget().text(text.size() + lines.size() * margin.size());
  std::string out = truth_or(first, false) ? margin : "";
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i != 0) {
      out += '\n';
      if (!lines[i].empty() || truth_or(blank, false)) out += margin;
    }
    out += lines[i];
  }
  return Value(std::move(out), value.is_markup());
}

Value safe(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  arguments.expect_none("safe");
  return Value(text_of(interpreter, value), true);
}

Value string(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  arguments.expect_none("string");
  return value.is_string() ? value : Value(text_of(interpreter, value));
}

constexpr NamedFunction kTextFilters[] = {
    {"capitalize", capitalize_filter},
    {"indent", indent},
    {"lower", lower},
    {"replace", replace_filter},
    {"safe", safe},
    {"string", string},
    {"title", title},
    {"trim", trim},
    {"upper", upper},
};

}  // namespace

std::span<const NamedFunction> text_filters() { return kTextFilters; }

}  // namespace caravel::text::jinja
