#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/jinja/python_text.h"

namespace caravel::text::jinja {
namespace {

class JsonWriter {
 public:
  JsonWriter(const JsonFormat& format, Budget& budget) : format_(format), budget_(budget) {}

  void write(const Value& value, int level) {
    check();
    switch (value.type()) {
      case Value::Type::kNone:
        out_ += "null";
        break;
      case Value::Type::kBool:
        out_ += value.boolean() ? "true" : "false";
        break;
      case Value::Type::kInt:
        out_ += std::to_string(value.integer());
        break;
      case Value::Type::kWideInt:
        out_ += value.digits();
        break;
      case Value::Type::kFloat:
        out_ += number(value.number());
        break;
      case Value::Type::kString:
        write_string(value.string());
        break;
      case Value::Type::kDict:
        write_dict(value.dict(), level);
        break;
      case Value::Type::kSequence:
        if (value.sequence().kind == Sequence::Kind::kList || value.sequence().kind == Sequence::Kind::kTuple) {
          write_list(value.sequence(), level);
          break;
        }
        [[fallthrough]];
      default:
        throw fail<InvalidArgument>("tojson: a {} is not JSON{}", value.type_name(),
                                    value.is_undefined() ? " (" + value.missing().message() + ")" : "");
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void check() {
    budget_.step();
    if (out_.size() > budget_.max_text()) budget_.text(out_.size());
  }

  static std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    return float_repr(value);
  }

  void write_string(std::string_view text) {
    budget_.text(text.size());
    out_ += '"';
    for (size_t offset = 0; offset < text.size();) {
      const CodePoint c = utf8_decode(text, offset);
      write_character(c.value, text.substr(offset, c.bytes));
      offset += c.bytes;
    }
    out_ += '"';
  }

  void write_character(int32_t c, std::string_view bytes) {
    static constexpr char kShort[] = "\b\f\n\r\t\"\\";
    static constexpr char kNames[] = "bfnrt\"\\";
    if (c > 0 && c < 0x80 && std::strchr(kShort, c) != nullptr) {
      out_ += '\\';
      out_ += kNames[std::strchr(kShort, c) - kShort];
    } else if ((c >= 0 && c < 0x20) || (format_.ensure_ascii && c >= 0x7F && c < 0x10000)) {
      if (c == 0x7F) {
        out_ += bytes;
      } else {
        out_ += fmt::format("\\u{:04x}", c);
      }
    } else if (format_.ensure_ascii && c >= 0x10000) {
      out_ += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((c - 0x10000) >> 10), 0xDC00 + ((c - 0x10000) & 0x3FF));
    } else {
      out_ += bytes;
    }
  }

  void new_line(int level) {
    if (!format_.multiline) return;
    out_ += '\n';
    for (int i = 0; i < level; ++i) {
      check();
      out_ += format_.indent;
    }
  }

  void write_list(const Sequence& list, int level) {
    if (list.items.empty()) {
      out_ += "[]";
      return;
    }
    out_ += '[';
    for (size_t i = 0; i < list.items.size(); ++i) {
      if (i != 0) out_ += format_.item_separator;
      new_line(level + 1);
      write(list.items[i], level + 1);
    }
    new_line(level);
    out_ += ']';
  }

  void write_key(const Value& key) {
    switch (key.type()) {
      case Value::Type::kString:
        write_string(key.string());
        break;
      case Value::Type::kNone:
        out_ += "\"null\"";
        break;
      case Value::Type::kBool:
        out_ += key.boolean() ? "\"true\"" : "\"false\"";
        break;
      case Value::Type::kWideInt:
        out_ += "\"" + key.digits() + "\"";
        break;
      default:
        out_ +=
            fmt::format("\"{}\"", key.is(Value::Type::kFloat) ? number(key.number()) : std::to_string(key.integer()));
    }
  }

  void write_dict(const Dict& dict, int level) {
    if (dict.size() == 0) {
      out_ += "{}";
      return;
    }
    std::vector<const std::pair<Value, Value>*> entries;
    for (const auto& entry : dict.entries()) entries.push_back(&entry);
    if (format_.sort_keys) {
      std::stable_sort(entries.begin(), entries.end(),
                       [&](const auto* a, const auto* b) { return less(a->first, b->first, budget_); });
    }
    out_ += '{';
    for (size_t i = 0; i < entries.size(); ++i) {
      if (i != 0) out_ += format_.item_separator;
      new_line(level + 1);
      write_key(entries[i]->first);
      out_ += format_.key_separator;
      write(entries[i]->second, level + 1);
    }
    new_line(level);
    out_ += '}';
  }

  const JsonFormat& format_;
  Budget& budget_;
  std::string out_;
};

}  // namespace

std::string to_json(const Value& value, const JsonFormat& format, Budget& budget) {
  JsonWriter writer(format, budget);
  writer.write(value, 0);
  return writer.take();
}

}  // namespace caravel::text::jinja
