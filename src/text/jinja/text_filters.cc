#include <algorithm>

#include "base/error.h"
#include "text/jinja/filter_table.h"
#include "text/jinja/print.h"
#include "text/jinja/python_text.h"
#include "text/jinja/string_format.h"
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

Value replace(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
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

Value center_filter(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const auto [width] = arguments.bind("center", {"width"});
  return centered(interpreter.budget(), text_of(interpreter, value), integer_or(width, 80), " ");
}

Value truncate(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const auto [length, kill_words, end, leeway] = arguments.bind("truncate", {"length", "killwords", "end", "leeway"});
  const std::string text = text_of(interpreter, value);
  const std::string tail = end == nullptr ? "..." : text_of(interpreter, *end);
  const int64_t limit = integer_or(length, 255);
  const int64_t slack = leeway == nullptr || leeway->is_none() ? 5 : integer_or(leeway, 5);
  const int64_t tail_length = utf8_length(tail);
  if (limit < tail_length)
    throw fail<InvalidArgument>("truncate: a length of {} is less than the end's {}", limit, tail_length);
  const auto characters = utf8_characters(text);
  if (static_cast<int64_t>(characters.size()) <= limit + slack) return text;
  std::string out;
  for (int64_t i = 0; i < limit - tail_length; ++i) out += characters[static_cast<size_t>(i)];
  if (!truth_or(kill_words, false)) {
    const size_t space = out.rfind(' ');
    if (space != std::string::npos) out.resize(space);
  }
  return out + tail;
}

Value escape(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  arguments.expect_none("escape");
  if (value.is_markup()) return value;
  return Value(html_escaped(text_of(interpreter, value)), true);
}

Value force_escape(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  arguments.expect_none("forceescape");
  return Value(html_escaped(text_of(interpreter, value)), true);
}

Value safe(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  arguments.expect_none("safe");
  return Value(text_of(interpreter, value), true);
}

Value string(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  arguments.expect_none("string");
  return value.is_string() ? value : Value(text_of(interpreter, value));
}

Value format(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  if (!arguments.keyword.empty() && !arguments.positional.empty()) {
    throw InvalidArgument("format takes values by place or by name, not both");
  }
  Value values = Value::sequence(arguments.positional, Sequence::Kind::kTuple);
  if (!arguments.keyword.empty()) {
    auto dict = std::make_shared<Dict>();
    for (const auto& [name, item] : arguments.keyword) dict->set_name(name, item);
    values = Value(std::shared_ptr<const Dict>(std::move(dict)));
  }
  return format_percent(Value(text_of(interpreter, value)), values, interpreter.budget());
}

Value word_count(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  arguments.expect_none("wordcount");
  const std::string text = text_of(interpreter, value);
  int64_t count = 0;
  bool inside = false;
  for (size_t offset = 0; offset < text.size();) {
    const CodePoint c = utf8_decode(text, offset);
    count += is_word(c.value) && !inside ? 1 : 0;
    inside = is_word(c.value);
    offset += c.bytes;
  }
  return count;
}

Value url_encode(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  arguments.expect_none("urlencode");
  if (value.is_dict() || value.is_sequence()) throw InvalidArgument("urlencode: give it a string");
  std::string out;
  for (const char c : text_of(interpreter, value)) {
    const bool kept = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                      c == '.' || c == '-' || c == '~' || c == '/';
    if (kept) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<uint8_t>(c));
    }
  }
  return out;
}

constexpr NamedFunction kFilters[] = {
    {"capitalize", capitalize_filter},
    {"center", center_filter},
    {"e", escape},
    {"escape", escape},
    {"forceescape", force_escape},
    {"format", format},
    {"indent", indent},
    {"lower", lower},
    {"replace", replace},
    {"safe", safe},
    {"string", string},
    {"title", title},
    {"trim", trim},
    {"truncate", truncate},
    {"upper", upper},
    {"urlencode", url_encode},
    {"wordcount", word_count},
};

}  // namespace

std::span<const NamedFunction> text_filters() { return kFilters; }

}  // namespace caravel::text::jinja
