#include <cmath>

#include "base/error.h"
#include "base/numbers.h"
#include "text/jinja/filter_table.h"
#include "text/jinja/methods.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/jinja/python_text.h"
#include "text/jinja/text_operations.h"

namespace caravel::text::jinja {
namespace {

Value default_filter(Interpreter&, const Value& value, const Arguments& arguments) {
  const auto [otherwise, boolean] = arguments.bind("default", {"default_value", "boolean"});
  if (!value.is_undefined() && !(truth_or(boolean, false) && !value.truthy())) return value;
  return otherwise == nullptr ? Value(std::string()) : *otherwise;
}

// Python's int(text, base) and float(text): surrounding whitespace and a sign are fine, underscores between digits too.
std::optional<std::string> number_text(std::string_view text) {
  text = strip(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text[0] == '+') return std::nullopt;
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_') {
      const bool between = i > 0 && i + 1 < text.size() && std::isalnum(static_cast<uint8_t>(text[i - 1])) &&
                           std::isalnum(static_cast<uint8_t>(text[i + 1]));
      if (!between) return std::nullopt;
    } else {
      digits += text[i];
    }
  }
  return digits;
}

std::optional<int64_t> parse_integer(std::string_view text, int base) {
  const auto digits = number_text(text);
  return digits ? parse_number<int64_t>(*digits, base) : std::nullopt;
}

std::optional<double> parse_float(std::string_view text) {
  const auto digits = number_text(text);
  return digits ? parse_number<double>(*digits) : std::nullopt;
}

std::optional<int64_t> truncated(double number) {
  if (!(std::abs(number) < 9.2e18)) return std::nullopt;
  return static_cast<int64_t>(number);
}

Value int_filter(Interpreter&, const Value& value, const Arguments& arguments) {
  const auto [otherwise, base] = arguments.bind("int", {"default", "base"});
  std::optional<int64_t> number;
  if (value.is_string()) {
    const int64_t radix = integer_or(base, 10);
    if (radix < 2 || radix > 36) throw fail<InvalidArgument>("int: a base of {} is not supported", radix);
    number = parse_integer(value.string(), static_cast<int>(radix));
    if (!number) {
      if (const auto real = parse_float(value.string())) number = truncated(*real);
    }
  } else if (value.is_wide_int()) {
    return value;
  } else if (value.is_integral()) {
    number = value.integer();
  } else if (value.is_number()) {
    number = truncated(value.number());
  } else if (value.is_undefined()) {
    throw_undefined(value);
  }
  if (number) return *number;
  return otherwise == nullptr ? Value(int64_t{0}) : *otherwise;
}

Value tojson(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const auto [ascii, indent, separators, sort_keys] =
      arguments.bind("tojson", {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonFormat format;
  format.ensure_ascii = truth_or(ascii, false);
  format.sort_keys = truth_or(sort_keys, false);
  if (indent != nullptr && !indent->is_none()) {
    format.multiline = true;
    format.item_separator = ",";
    format.indent = indent->is_string() ? indent->string() : spaces(interpreter.budget(), integer_or(indent, 0));
  }
  if (separators != nullptr && !separators->is_none()) {
    const std::vector<Value> pair = iterate(*separators, interpreter.budget());
    if (pair.size() != 2) throw fail<InvalidArgument>("tojson: separators are 2 strings, not {}", pair.size());
    format.item_separator = string_argument("tojson", "separators", pair.data());
    format.key_separator = string_argument("tojson", "separators", &pair[1]);
  }
  return to_json(value, format, interpreter.budget());
}

constexpr NamedFunction kValueFilters[] = {
    {"default", default_filter},
    {"int", int_filter},
    {"tojson", tojson},
};

}  // namespace

std::span<const NamedFunction> value_filters() { return kValueFilters; }

}  // namespace caravel::text::jinja
