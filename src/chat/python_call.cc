#include "chat/python_call.h"

#include <cctype>
#include <optional>

#include "base/error.h"
#include "fields/json.h"

namespace caravel::chat {
namespace {

using nlohmann::ordered_json;

bool is_name_byte(char byte) { return std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '_'; }

/// Keywords and their values, as JSON. What it cannot read makes `ok` false.
class Literals {
 public:
  explicit Literals(std::string_view text) : text_(text) {}

  /// key=value, ... or **{...}, to the end of the text: as JSON.
  std::optional<std::string> keywords() {
    if (peek() == '*') return unpacked();
    ordered_json object = ordered_json::object();
    while (ok_ && peek() != 0) {
      const std::string key = word();
      expect('=');
      if (key.empty() || object.contains(key)) ok_ = false;
      object[key] = value();
      if (peek() != 0) expect(',');
    }
    return ok_ ? std::optional(to_text(object)) : std::nullopt;
  }

 private:
  std::optional<std::string> unpacked() {
    expect('*');
    expect('*');
    if (peek() != '{') return std::nullopt;
    const std::optional<std::string> object = read();
    return ok_ && peek() == 0 ? object : std::nullopt;
  }

  /// One value; nothing where it cannot be read.
  std::optional<std::string> read() {
    JsonMender mender;
    std::string json;
    auto status = peek() == 0 ? JsonMender::Status::kBad : JsonMender::Status::kMore;
    while (status == JsonMender::Status::kMore && at_ <= text_.size()) {
      // Behind the last value comes the call's parenthesis.
      status = mender.feed(at_ < text_.size() ? text_[at_] : ')', json);
      if (status == JsonMender::Status::kMore || status == JsonMender::Status::kDone) ++at_;
    }
    if (status != JsonMender::Status::kDone && status != JsonMender::Status::kEnded) return std::nullopt;
    return json;
  }

  ordered_json value() {
    const std::optional<std::string> json = read();
    if (!json) return fail();
    try {
      return parse_json(*json);  // numbers stay as the model wrote them
    } catch (const FormatError&) {
      // Deeper than a body may be, or a key twice: still the call's.
      ordered_json value = ordered_json::parse(*json, nullptr, /*allow_exceptions=*/false);
      return value.is_discarded() ? fail() : value;
    }
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
      const std::optional<std::string> arguments = byte == ')' ? Literals(arguments_).keywords() : std::nullopt;
      if (!arguments) return CallStatus::kBad;
      out_.begin_call(name_);
      out_.arguments(*arguments);
      out_.end_call();
      return CallStatus::kDone;
    }
  }
  arguments_ += byte;
  return CallStatus::kMore;
}

}  // namespace caravel::chat
