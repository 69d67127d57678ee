#include "chat/python_call.h"

#include <cctype>
#include <optional>

namespace caravel::chat {
namespace {

using nlohmann::ordered_json;

constexpr int kMaxDepth = 64;

bool is_name_byte(char byte) { return std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '_'; }

/// Python's literals, as JSON values. What it cannot read makes `ok` false.
class Literals {
 public:
  explicit Literals(std::string_view text) : text_(text) {}

  /// key=value, ... to the end of the text.
  std::optional<ordered_json> keywords() {
    ordered_json object = ordered_json::object();
    while (ok_ && peek() != 0) {
      const std::string key = word();
      expect('=');
      if (key.empty() || object.contains(key)) ok_ = false;
      object[key] = value(0);
      if (peek() != 0) expect(',');
    }
    return ok_ ? std::optional(object) : std::nullopt;
  }

 private:
  ordered_json value(int depth) {
    const char first = peek();
    if (!ok_ || depth == kMaxDepth) return fail();
    if (first == '"' || first == '\'') return string();
    if (first == '[') return list(depth);
    if (first == '{') return dictionary(depth);
    const size_t begin = at_;
    while (at_ < text_.size() && std::string_view(",]}: \n\t\r").find(text_[at_]) == std::string_view::npos) ++at_;
    const std::string_view token = text_.substr(begin, at_ - begin);
    if (token == "True" || token == "true") return true;
    if (token == "False" || token == "false") return false;
    if (token == "None" || token == "null") return nullptr;
    ordered_json number = ordered_json::parse(token, nullptr, /*allow_exceptions=*/false);
    return number.is_number() ? number : fail();
  }

  ordered_json list(int depth) {
    ordered_json items = ordered_json::array();
    for (expect('['); ok_ && peek() != ']';) {
      items.push_back(value(depth + 1));
      if (peek() != ']') expect(',');
    }
    expect(']');
    return items;
  }

  ordered_json dictionary(int depth) {
    ordered_json object = ordered_json::object();
    for (expect('{'); ok_ && peek() != '}';) {
      const ordered_json key = peek() == '"' || peek() == '\'' ? string() : fail();
      expect(':');
      if (ok_) object[key.get<std::string>()] = value(depth + 1);
      if (peek() != '}') expect(',');
    }
    expect('}');
    return object;
  }

  ordered_json string() {
    const char quote = text_[at_++];
    std::string json = "\"";  // the same string as JSON spells it
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      char byte = text_[at_];
      if (byte == '\n') return fail();
      if (byte != '\\') {
        if (byte == '"') json += '\\';
        json += byte;
        continue;
      }
      if (++at_ == text_.size()) return fail();
      byte = text_[at_];
      if (byte == '\'') {
        json += '\'';
      } else if (byte == 'x') {
        json += "\\u00";
      } else {
        json += '\\';
        json += byte;
      }
    }
    expect(quote);
    ordered_json value = ordered_json::parse(json + '"', nullptr, /*allow_exceptions=*/false);
    return value.is_string() ? value : fail();
  }

  std::string word() {
    const char first = peek();
    const size_t begin = at_;
    while (first != 0 && at_ < text_.size() && is_name_byte(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  /// The next byte that is no white space; 0 at the end.
  char peek() {
    while (at_ < text_.size() && is_json_space(text_[at_])) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  void expect(char byte) {
    if (peek() != byte) {
      ok_ = false;
    } else {
      ++at_;
    }
  }

  ordered_json fail() {
    ok_ = false;
    return nullptr;
  }

  std::string_view text_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace

bool PythonCall::begins_name(char byte) {
  return is_name_byte(byte) && std::isdigit(static_cast<unsigned char>(byte)) == 0;
}

void PythonCall::reset() {
  name_.clear();
  arguments_.clear();
  depth_ = 0;
  quote_ = 0;
  escaped_ = false;
}

CallStatus PythonCall::feed(char byte) {
  if (depth_ == 0) {
    if (is_name_byte(byte) || byte == '-' || byte == '.') {
      name_ += byte;
      return CallStatus::kMore;
    }
    if (byte != '(' || !tools_.contains(name_)) return CallStatus::kBad;
    depth_ = 1;
    return CallStatus::kMore;
  }
  if (quote_ != 0) {
    const bool escaped = std::exchange(escaped_, byte == '\\' && !escaped_);
    if (byte == quote_ && !escaped) quote_ = 0;
  } else if (byte == '"' || byte == '\'') {
    quote_ = byte;
  } else if (byte == '(' || byte == '[' || byte == '{') {
    ++depth_;
  } else if (byte == ')' || byte == ']' || byte == '}') {
    if (--depth_ == 0) {
      const std::optional<ordered_json> arguments = byte == ')' ? Literals(arguments_).keywords() : std::nullopt;
      if (!arguments) return CallStatus::kBad;
      out_.begin_call(name_);
      out_.arguments(arguments->dump(-1, ' ', false, ordered_json::error_handler_t::replace));
      out_.end_call();
      return CallStatus::kDone;
    }
  }
  arguments_ += byte;
  return CallStatus::kMore;
}

}  // namespace caravel::chat
