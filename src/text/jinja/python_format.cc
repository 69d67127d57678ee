#include "text/jinja/python_format.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/numbers.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/print.h"
#include "text/jinja/python_text.h"
#include "text/jinja/text_operations.h"

namespace caravel::text::jinja {
namespace {

// [[fill]align][sign][#][0][width][,][.precision][type]; a printf conversion is brought into the same form.
struct Spec {
  std::string fill = " ";
  char align = '\0';  // < > ^ =
  char sign = '-';    // + - space
  bool zero = false;
  bool comma = false;
  int64_t width = 0;
  int64_t precision = -1;
  char type = '\0';
};

constexpr int64_t kMaxPrecision = 1000;

int64_t read_count(std::string_view& text) {
  int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec == std::errc::result_out_of_range) throw InvalidArgument("a format's width or precision is too large");
  text.remove_prefix(static_cast<size_t>(parsed.ptr - text.data()));
  return number;
}

bool is_align(char c) { return c == '<' || c == '>' || c == '^' || c == '='; }

Spec parse_spec(std::string_view text) {
  Spec spec;
  const std::string_view all = text;
  const size_t first = text.empty() ? 0 : utf8_decode(text, 0).bytes;
  if (text.size() > first && first > 0 && is_align(text[first])) {
    spec.fill = text.substr(0, first);
    spec.align = text[first];
    text.remove_prefix(first + 1);
  } else if (!text.empty() && is_align(text[0])) {
    spec.align = text[0];
    text.remove_prefix(1);
  }
  if (!text.empty() && (text[0] == '+' || text[0] == '-' || text[0] == ' ')) {
    spec.sign = text[0];
    text.remove_prefix(1);
  }
  if (text.starts_with('0')) {
    spec.zero = true;
    text.remove_prefix(1);
  }
  if (!text.empty() && text[0] >= '1' && text[0] <= '9') spec.width = read_count(text);
  if (text.starts_with(',')) {
    spec.comma = true;
    text.remove_prefix(1);
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    spec.precision = read_count(text);
  }
  if (!text.empty()) {
    spec.type = text[0];
    text.remove_prefix(1);
  }
  if (!text.empty()) throw fail<InvalidArgument>("the format '{}' is not supported", all);
  return spec;
}

std::string with_commas(std::string digits) {
  const size_t point = std::min(digits.find_first_not_of("0123456789"), digits.size());
  for (size_t i = point; i > 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

// Python writes at least two digits of the exponent, as C does.
std::string float_digits(double magnitude, const Spec& spec) {
  if (spec.precision > kMaxPrecision) throw fail<InvalidArgument>("a precision of {} is too large", spec.precision);
  const int precision = spec.precision < 0 ? 6 : static_cast<int>(spec.precision);
  switch (spec.type) {
    case 'f':
    case 'F':
      return fmt::format("{:.{}f}", magnitude, precision);
    case 'e':
      return fmt::format("{:.{}e}", magnitude, precision);
    case 'E':
      return fmt::format("{:.{}E}", magnitude, precision);
    case 'g':
    case 'G':
      return fmt::format("{:.{}g}", magnitude, precision);
    case '%':
      return fmt::format("{:.{}f}%", magnitude * 100, precision);
    case '\0':
      if (spec.precision < 0) return float_repr(magnitude);
      return fmt::format("{:.{}g}", magnitude, precision);
    default:
      throw fail<InvalidArgument>("the format type '{}' is not for a float", spec.type);
  }
}

std::string integer_digits(uint64_t magnitude, const Spec& spec) {
  switch (spec.type) {
    case '\0':
    case 'd':
    case 'i':
    case 'u':
    case 'n':
      return std::to_string(magnitude);
    case 'x':
      return fmt::format("{:x}", magnitude);
    case 'X':
      return fmt::format("{:X}", magnitude);
    case 'o':
      return fmt::format("{:o}", magnitude);
    case 'b':
      return fmt::format("{:b}", magnitude);
    default:
      throw fail<InvalidArgument>("the format type '{}' is not for an int", spec.type);
  }
}

std::string format_number(const Value& value, const Spec& spec, Budget& budget) {
  const bool is_float =
      value.is(Value::Type::kFloat) || std::string_view("eEfFgG%").find(spec.type) != std::string_view::npos;
  const bool negative = value.is(Value::Type::kFloat) ? std::signbit(value.number()) : value.integer() < 0;
  const uint64_t magnitude = is_float   ? 0
                             : negative ? ~static_cast<uint64_t>(value.integer()) + 1
                                        : static_cast<uint64_t>(value.integer());
  std::string digits = is_float ? float_digits(std::abs(value.number()), spec) : integer_digits(magnitude, spec);
  if (spec.comma) digits = with_commas(std::move(digits));
  std::string sign;
  if (negative || spec.sign != '-') sign += negative ? '-' : spec.sign;
  const std::string_view fill = spec.zero ? std::string_view("0") : std::string_view(spec.fill);
  const int64_t missing = spec.width - static_cast<int64_t>(sign.size() + digits.size());
  if (spec.align == '=' || (spec.zero && spec.align == '\0')) {
    return sign + padded(budget, digits, missing, 0, fill);
  }
  const std::string text = sign + digits;
  if (spec.align == '<') return padded(budget, text, 0, missing, fill);
  if (spec.align == '^')
    return padded(budget, text, std::max<int64_t>(missing, 0) / 2, missing - std::max<int64_t>(missing, 0) / 2, fill);
  return padded(budget, text, missing, 0, fill);
}

std::string format_text(std::string_view text, const Spec& spec, Budget& budget) {
  if (spec.type != '\0' && spec.type != 's')
    throw fail<InvalidArgument>("the format type '{}' is not for a str", spec.type);
  std::string kept(text);
  if (spec.precision >= 0) {
    kept.clear();
    int64_t left = spec.precision;
    for (size_t offset = 0; offset < text.size() && left > 0; --left) {
      const size_t bytes = utf8_decode(text, offset).bytes;
      kept += text.substr(offset, bytes);
      offset += bytes;
    }
  }
  const int64_t missing = std::max<int64_t>(spec.width - utf8_length(kept), 0);
  if (spec.align == '>') return padded(budget, kept, missing, 0, spec.fill);
  if (spec.align == '^') return padded(budget, kept, missing / 2, missing - missing / 2, spec.fill);
  return padded(budget, kept, 0, missing, spec.fill);
}

std::string format_value(const Value& value, std::string_view spec_text, Budget& budget) {
  if (spec_text.empty()) return to_str(value, budget);
  const Spec spec = parse_spec(spec_text);
  if (value.is(Value::Type::kBool) && (spec.type == '\0' || spec.type == 's')) {
    return format_text(to_str(value, budget), spec, budget);
  }
  if (value.is_number()) return format_number(value, spec, budget);
  if (value.is_string() || value.is_undefined()) return format_text(to_str(value, budget), spec, budget);
  throw fail<InvalidArgument>("a {} takes no format", value.type_name());
}

class BraceFormatter {
 public:
  BraceFormatter(Interpreter& interpreter, const Arguments& arguments)
      : interpreter_(interpreter), arguments_(arguments) {}

  std::string format(std::string_view text, bool nested) {
    std::string out;
    for (size_t i = 0; i < text.size();) {
      const char c = text[i];
      if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
        out += c;
        i += 2;
      } else if (c == '{') {
        const size_t end = field_end(text, i + 1);
        append(out, field(text.substr(i + 1, end - i - 1), nested));
        i = end + 1;
      } else if (c == '}') {
        throw InvalidArgument("format(): a single '}'");
      } else {
        out += c;
        ++i;
      }
    }
    return out;
  }

 private:
  void append(std::string& out, const std::string& text) {
    Budget& budget = interpreter_.budget();
    budget.text(out.size() + text.size() > budget.max_text() ? budget.max_text() + 1 : text.size());
    out += text;
  }

  static size_t field_end(std::string_view text, size_t start) {
    int depth = 1;
    for (size_t i = start; i < text.size(); ++i) {
      if (text[i] == '{') ++depth;
      if (text[i] == '}' && --depth == 0) return i;
    }
    throw InvalidArgument("format(): a '{' has no end");
  }

  std::string field(std::string_view text, bool nested) {
    const size_t name_end = std::min(text.find_first_of("!:"), text.size());
    Value value = lookup(text.substr(0, name_end));
    std::string_view rest = text.substr(name_end);
    if (rest.starts_with('!')) {
      if (rest.size() < 2 || (rest[1] != 's' && rest[1] != 'r'))
        throw InvalidArgument("format(): only !s and !r are supported");
      std::string converted;
      if (rest[1] == 's') {
        append_str(converted, value, interpreter_.budget());
      } else {
        append_repr(converted, value, interpreter_.budget());
      }
      value = Value(std::move(converted));
      rest.remove_prefix(2);
    }
    if (rest.starts_with(':')) rest.remove_prefix(1);
    if (rest.find('{') == std::string_view::npos) return format_value(value, rest, interpreter_.budget());
    if (nested) throw InvalidArgument("format(): fields nest too deep");
    return format_value(value, format(rest, true), interpreter_.budget());
  }

  Value lookup(std::string_view name) {
    const size_t end = std::min(name.find_first_of(".["), name.size());
    Value value = argument(name.substr(0, end));
    name.remove_prefix(end);
    while (!name.empty()) {
      const bool is_item = name[0] == '[';
      name.remove_prefix(1);
      const size_t stop = is_item ? name.find(']') : std::min(name.find_first_of(".["), name.size());
      if (stop == std::string_view::npos) throw InvalidArgument("format(): a '[' has no end");
      const std::string part(name.substr(0, stop));
      value = is_item ? interpreter_.item(value, index_of(part)) : interpreter_.attribute(value, part);
      if (value.is_undefined()) throw_undefined(value);
      name.remove_prefix(stop + (is_item ? 1 : 0));
      if (!name.empty() && name[0] != '.' && name[0] != '[') throw InvalidArgument("format(): text follows a ']'");
    }
    return value;
  }

  static Value index_of(const std::string& text) {
    const auto index = parse_number<int64_t>(text);
    return index ? Value(*index) : Value(text);
  }

  const Value& argument(std::string_view name) {
    const Value place = name.empty() ? Value(static_cast<int64_t>(next_++)) : index_of(std::string(name));
    if (place.is_integral()) {
      const int64_t index = place.integer();
      if (index < 0 || index >= static_cast<int64_t>(arguments_.positional.size())) {
        throw fail<InvalidArgument>("format(): there is no argument {}", index);
      }
      return arguments_.positional[static_cast<size_t>(index)];
    }
    for (const auto& [key, value] : arguments_.keyword) {
      if (key == name) return value;
    }
    throw fail<InvalidArgument>("format(): there is no argument '{}'", name);
  }

  Interpreter& interpreter_;
  const Arguments& arguments_;
  size_t next_ = 0;  // the argument that the next field without a name takes
};

class PercentFormatter {
 public:
  PercentFormatter(const Value& arguments, Budget& budget) : arguments_(arguments), budget_(budget) {}

  std::string format(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      const size_t percent = std::min(text.find('%'), text.size());
      append(out, std::string(text.substr(0, percent)));
      text.remove_prefix(percent);
      if (!text.empty()) append(out, conversion(text));
    }
    const bool is_tuple = arguments_.is_sequence(Sequence::Kind::kTuple);
    const size_t count = is_tuple ? arguments_.sequence().items.size() : 1;
    if (used_ < count && !arguments_.is_dict()) throw InvalidArgument("%: not all values have a place in the format");
    return out;
  }

 private:
  void append(std::string& out, const std::string& text) {
    budget_.text(out.size() + text.size() > budget_.max_text() ? budget_.max_text() + 1 : text.size());
    out += text;
  }

  const Value& next() {
    const size_t index = used_++;
    if (arguments_.is_sequence(Sequence::Kind::kTuple)) {
      if (index < arguments_.sequence().items.size()) return arguments_.sequence().items[index];
    } else if (index == 0) {
      return arguments_;
    }
    throw InvalidArgument("%: the format has more places than there are values");
  }

  // %[(name)][flags][width][.precision]type, all consumed from `text`.
  std::string conversion(std::string_view& text) {
    text.remove_prefix(1);
    const Value* named = nullptr;
    if (text.starts_with('(')) {
      const size_t end = text.find(')');
      if (end == std::string_view::npos || !arguments_.is_dict())
        throw InvalidArgument("%(name) needs a ')' and a dict");
      named = arguments_.dict().find_name(text.substr(1, end - 1));
      if (named == nullptr) throw fail<InvalidArgument>("%: there is no '{}'", text.substr(1, end - 1));
      text.remove_prefix(end + 1);
    }
    Spec spec;
    spec.align = '>';
    for (; !text.empty() && std::string_view("-+ 0#").find(text[0]) != std::string_view::npos; text.remove_prefix(1)) {
      if (text[0] == '-') spec.align = '<';
      if (text[0] == '+' || text[0] == ' ') spec.sign = text[0];
      if (text[0] == '0') spec.zero = true;
    }
    spec.width = read_count(text);
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      spec.precision = read_count(text);
    }
    if (text.empty()) throw InvalidArgument("%: the format ends in the middle of a place");
    const char type = text[0];
    text.remove_prefix(1);
    if (type == '%') return "%";
    return convert(named != nullptr ? *named : next(), type, spec);
  }

  std::string convert(const Value& value, char type, Spec spec) {
    if (type == 's' || type == 'r') {
      std::string printed;
      if (type == 's') {
        append_str(printed, value, budget_);
      } else {
        append_repr(printed, value, budget_);
      }
      return format_text(printed, spec, budget_);
    }
    if (value.is_undefined()) throw_undefined(value);
    if (value.is_wide_int()) throw fail<InvalidArgument>("%{}: the number passes 63 bits", type);
    if (!value.is_number()) throw fail<InvalidArgument>("%{} needs a number, not a {}", type, value.type_name());
    spec.type = type;
    if (spec.zero && spec.align == '>') spec.align = '\0';
    if (spec.align == '<') spec.zero = false;
    if (std::string_view("diu").find(type) == std::string_view::npos) return format_number(value, spec, budget_);
    if (!(std::abs(value.number()) < 9.2e18)) throw fail<InvalidArgument>("%{}: the number passes 63 bits", type);
    return format_number(value.is_integral() ? value : Value(static_cast<int64_t>(value.number())), spec, budget_);
  }

  const Value& arguments_;
  Budget& budget_;
  size_t used_ = 0;
};

}  // namespace

Value format_percent(const Value& format, const Value& arguments, Budget& budget) {
  return Value(PercentFormatter(arguments, budget).format(format.string()), format.is_markup());
}

std::string format_braces(Interpreter& interpreter, std::string_view format, const Arguments& arguments) {
  return BraceFormatter(interpreter, arguments).format(format, false);
}

}  // namespace caravel::text::jinja
