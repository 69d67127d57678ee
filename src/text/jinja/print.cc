#include "text/jinja/print.h"

#include <charconv>
#include <cmath>

#include "base/numbers.h"
#include "text/jinja/ast.h"
#include "text/jinja/macro.h"
#include "text/jinja/python_text.h"

namespace caravel::text::jinja {
namespace {

void append_string_repr(std::string& out, std::string_view text) {
  const char quote = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
  out += quote;
  for (size_t offset = 0; offset < text.size();) {
    const CodePoint c = utf8_decode(text, offset);
    if (c.value == quote || c.value == '\\') {
      out += '\\';
      out += static_cast<char>(c.value);
    } else if (c.value == '\n') {
      out += "\\n";
    } else if (c.value == '\r') {
      out += "\\r";
    } else if (c.value == '\t') {
      out += "\\t";
    } else if (c.value >= 0 && !is_printable(c.value)) {
      out += c.value < 0x100     ? fmt::format("\\x{:02x}", c.value)
             : c.value < 0x10000 ? fmt::format("\\u{:04x}", c.value)
                                 : fmt::format("\\U{:08x}", c.value);
    } else {
      out += text.substr(offset, c.bytes);
    }
    offset += c.bytes;
  }
  out += quote;
}

void append_sequence_repr(std::string& out, const Sequence& sequence, const char* type_name, Budget& budget) {
  std::string_view open = "[";
  std::string_view close = "]";
  if (sequence.kind == Sequence::Kind::kTuple) {
    open = "(";
    close = sequence.items.size() == 1 ? ",)" : ")";
  } else if (sequence.kind != Sequence::Kind::kList) {
    out += type_name;
    open = "([";
    close = "])";
  }
  out += open;
  for (size_t i = 0; i < sequence.items.size(); ++i) {
    if (i != 0) out += ", ";
    append_repr(out, sequence.items[i], budget);
  }
  out += close;
}

}  // namespace

std::string float_repr(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, std::chars_format::scientific).ptr;
  const std::string_view text(digits, static_cast<size_t>(end - digits));
  const size_t e = text.find('e');
  const int exponent = parse_number<int>(text.substr(e + (text[e + 1] == '+' ? 2 : 1))).value();
  if (exponent < -4 || exponent >= 16) return std::string(text);
  const auto fixed_end = std::to_chars(digits, digits + sizeof digits, number, std::chars_format::fixed).ptr;
  std::string fixed(digits, fixed_end);
  if (fixed.find('.') == std::string::npos) fixed += ".0";
  return fixed;
}

void append_repr(std::string& out, const Value& value, Budget& budget) {
  budget.step();
  if (out.size() > budget.max_text()) budget.text(out.size());
  switch (value.type()) {
    case Value::Type::kUndefined:
      out += "Undefined";
      break;
    case Value::Type::kNone:
      out += "None";
      break;
    case Value::Type::kBool:
      out += value.boolean() ? "True" : "False";
      break;
    case Value::Type::kInt:
      out += std::to_string(value.integer());
      break;
    case Value::Type::kWideInt:
      out += value.digits();
      break;
    case Value::Type::kFloat:
      out += float_repr(value.number());
      break;
    case Value::Type::kString:
      budget.text(value.string().size());
      if (value.is_markup()) out += "Markup(";
      append_string_repr(out, value.string());
      if (value.is_markup()) out += ")";
      break;
    case Value::Type::kSequence:
      append_sequence_repr(out, value.sequence(), value.type_name(), budget);
      break;
    case Value::Type::kDict: {
      out += '{';
      bool first = true;
      for (const auto& [key, item] : value.dict().entries()) {
        if (!first) out += ", ";
        first = false;
        append_repr(out, key, budget);
        out += ": ";
        append_repr(out, item, budget);
      }
      out += '}';
      break;
    }
    case Value::Type::kMacro:
      out += fmt::format("<Macro '{}'>", value.macro()->definition->name);
      break;
    default:
      out += fmt::format("<{}>", value.type_name());
      break;
  }
}

void append_str(std::string& out, const Value& value, Budget& budget) {
  if (value.is_string()) {
    budget.text(out.size() + value.string().size() > budget.max_text() ? budget.max_text() + 1 : value.string().size());
    out += value.string();
  } else if (!value.is_undefined()) {
    append_repr(out, value, budget);
  }
}

std::string to_str(const Value& value, Budget& budget) {
  std::string out;
  append_str(out, value, budget);
  return out;
}

std::string html_escaped(const std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '"':
        out += "&#34;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace caravel::text::jinja
