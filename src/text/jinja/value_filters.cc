#include <cmath>
#include <cstdlib>

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

Value abs_filter(Interpreter&, const Value& value, const Arguments& arguments) {
  arguments.expect_none("abs");
  if (value.is_undefined()) throw_undefined(value);
  if (!value.is_number()) throw fail<InvalidArgument>("abs: a {} is no number", value.type_name());
  if (value.is(Value::Type::kFloat)) return std::abs(value.number());
  return value.integer() < 0 ? apply_negate(value) : Value(value.integer());
}

Value attr(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const auto [name] = arguments.bind("attr", {"name"});
  const std::string& text = string_argument("attr", "name", name);
  if (value.is_dict()) return find_method(value, text);
  return interpreter.attribute(value, text);
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
  if (!digits) return std::nullopt;
  return parse_number<int64_t>(*digits, base);
}

std::optional<double> parse_float(std::string_view text) {
  const auto digits = number_text(text);
  if (!digits || digits->find_first_of("xXpP") != std::string::npos || digits->find('(') != std::string::npos) {
    return std::nullopt;
  }
  char* end = nullptr;
  const double number = std::strtod(digits->c_str(), &end);
  return end == digits->c_str() + digits->size() ? std::optional(number) : std::nullopt;
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

Value float_filter(Interpreter&, const Value& value, const Arguments& arguments) {
  const auto [otherwise] = arguments.bind("float", {"default"});
  if (value.is_undefined()) throw_undefined(value);
  if (value.is_number()) return value.number();
  if (value.is_string()) {
    if (const auto number = parse_float(value.string())) return *number;
  }
  return otherwise == nullptr ? Value(0.0) : *otherwise;
}

// Python's round: half to even, decided on the exact decimal expansion, which is what printf rounds too.
double rounded(double number, int64_t precision) {
  if (!std::isfinite(number) || precision > 300) return number;
  if (precision >= 0) return std::strtod(fmt::format("{:.{}f}", number, precision).c_str(), nullptr);
  if (precision < -308) return 0.0;
  const double scale = std::pow(10.0, static_cast<double>(-precision));
  return std::nearbyint(number / scale) * scale;
}

Value round_filter(Interpreter&, const Value& value, const Arguments& arguments) {
  const auto [precision, method] = arguments.bind("round", {"precision", "method"});
  if (value.is_undefined()) throw_undefined(value);
  if (!value.is_number()) throw fail<InvalidArgument>("round: a {} is no number", value.type_name());
  const int64_t digits = integer_or(precision, 0);
  const std::string how = method == nullptr ? "common" : string_argument("round", "method", method);
  if (how == "common") {
    if (value.is_integral() && digits >= 0) return value.integer();
    const double result = rounded(value.number(), digits);
    return value.is_integral() ? Value(static_cast<int64_t>(result)) : Value(result);
  }
  if (how != "ceil" && how != "floor") throw fail<InvalidArgument>("round: '{}' is not common, ceil or floor", how);
  const double scale = std::pow(10.0, static_cast<double>(digits));
  const double scaled = value.number() * scale;
  return (how == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale;
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

constexpr NamedFunction kFilters[] = {
    {"abs", abs_filter},     {"attr", attr},      {"d", default_filter},   {"default", default_filter},
    {"float", float_filter}, {"int", int_filter}, {"round", round_filter}, {"tojson", tojson},
};

}  // namespace

std::span<const NamedFunction> value_filters() { return kFilters; }

}  // namespace caravel::text::jinja
