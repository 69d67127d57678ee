#include "chat/json_mender.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "base/numbers.h"

namespace caravel::chat {
namespace {

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

bool begins_word(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' || byte == '$';
}

/// JSON's word for what JSON or Python calls so.
std::optional<std::string_view> literal(std::string_view word) {
  if (word == "true" || word == "True") return "true";
  if (word == "false" || word == "False") return "false";
  if (word == "null" || word == "None") return "null";
  return std::nullopt;
}

}  // namespace

std::string json_escaped(char byte) {
  switch (byte) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    case '\r':
      return "\\r";
    default:
      return static_cast<unsigned char>(byte) < 0x20 ? fmt::format("\\u{:04x}", static_cast<unsigned>(byte))
                                                     : std::string(1, byte);
  }
}

void JsonMender::reset() {
  state_ = State::kValue;
  in_key_ = false;
  held_.clear();
  open_.clear();
}

std::string JsonMender::closing() const {
  const bool complete = state_ == State::kAfterValue || state_ == State::kFirstKey || state_ == State::kFirstElement;
  if (!complete || !held_.empty()) return {};
  std::string brackets;
  for (auto bracket = open_.rbegin(); bracket != open_.rend(); ++bracket) brackets += *bracket == '{' ? '}' : ']';
  return brackets;
}

JsonMender::Status JsonMender::feed(char byte, std::string& out) {
  switch (state_) {
    case State::kString:
      return string(byte, out);
    case State::kEscape:
      return escape(byte, out);
    case State::kHex:
      return hex(byte, out);
    case State::kWord:
      return word(byte, out);
    case State::kMinus:
    case State::kZero:
    case State::kInteger:
    case State::kPoint:
    case State::kFraction:
    case State::kExponent:
    case State::kExponentSign:
    case State::kExponentDigits:
      return number(byte, out);
    default:
      break;
  }
  if (is_json_space(byte)) return space(byte, out);
  switch (state_) {
    case State::kFirstElement:
      return byte == ']' ? after_value(byte, out) : value(byte, out);
    case State::kFirstKey:
      return byte == '}' ? after_value(byte, out) : key(byte, out);
    case State::kKey:
      return key(byte, out);
    case State::kWordKey:
      return word_key(byte, out);
    case State::kColon:
      if (byte != ':') return Status::kBad;
      out += byte;
      state_ = State::kValue;
      return Status::kMore;
    case State::kComma:
      return comma(byte, out);
    case State::kAfterValue:
      return after_value(byte, out);
    default:
      return value(byte, out);
  }
}

JsonMender::Status JsonMender::space(char byte, std::string& out) {
  if (open_.empty()) return Status::kBad;
  (state_ == State::kComma || state_ == State::kWordKey ? held_ : out) += byte;
  return Status::kMore;
}

JsonMender::Status JsonMender::value(char byte, std::string& out) {
  if (byte == '{' || byte == '[') return open(byte, out);
  if (byte == '"' || byte == '\'') return begin_string(byte, out);
  if (begins_word(byte)) {
    held_ = byte;
    in_key_ = false;
    state_ = State::kWord;
    return Status::kMore;
  }
  if (byte != '-' && !is_digit(byte)) return Status::kBad;
  state_ = byte == '-' ? State::kMinus : byte == '0' ? State::kZero : State::kInteger;
  out += byte;
  return Status::kMore;
}

JsonMender::Status JsonMender::key(char byte, std::string& out) {
  if (byte != '"' && byte != '\'' && !begins_word(byte)) return Status::kBad;
  in_key_ = true;
  if (!begins_word(byte)) return begin_string(byte, out);
  held_ = byte;
  state_ = State::kWord;
  return Status::kMore;
}

JsonMender::Status JsonMender::begin_string(char quote, std::string& out) {
  quote_ = quote;
  out += '"';
  state_ = State::kString;
  return Status::kMore;
}

JsonMender::Status JsonMender::string(char byte, std::string& out) {
  if (byte == quote_) {
    out += '"';
    if (!in_key_) return close();
    in_key_ = false;
    state_ = State::kColon;
  } else if (byte == '\\') {
    held_ = byte;
    state_ = State::kEscape;
  } else {
    out += json_escaped(byte);
  }
  return Status::kMore;
}

JsonMender::Status JsonMender::escape(char byte, std::string& out) {
  if (byte == 'u' || byte == 'x') {
    held_ += byte;
    hex_left_ = byte == 'u' ? 4 : 2;
    state_ = State::kHex;
    return Status::kMore;
  }
  state_ = State::kString;
  if (std::string_view("\"\\/bfnrt").find(byte) != std::string_view::npos) {
    release(out);
    out += byte;
    return Status::kMore;
  }
  held_.clear();
  if (byte == '\'') {
    out += byte;
    return Status::kMore;
  }
  out += "\\\\";
  return string(byte, out);
}

JsonMender::Status JsonMender::hex(char byte, std::string& out) {
  if (hex_digit(byte) >= 0) {
    held_ += byte;
    if (--hex_left_ > 0) return Status::kMore;
    if (held_[1] == 'x') held_.replace(1, 1, "u00");
    release(out);
    state_ = State::kString;
    return Status::kMore;
  }
  out += '\\';
  release(out);
  state_ = State::kString;
  return string(byte, out);
}

JsonMender::Status JsonMender::word(char byte, std::string& out) {
  if (begins_word(byte) || is_digit(byte) || (in_key_ && byte == '-')) {
    held_ += byte;
    return Status::kMore;
  }
  if (in_key_) {
    if (literal(held_)) return Status::kBad;  // Python's None is a key, too, and JSON's are texts
    state_ = State::kWordKey;
    return is_json_space(byte) ? space(byte, out) : word_key(byte, out);
  }
  const auto known = literal(held_);
  if (!known) return Status::kBad;
  held_.clear();
  out += *known;
  return ended(byte, out);
}

JsonMender::Status JsonMender::word_key(char byte, std::string& out) {
  if (byte != ':') return Status::kBad;
  const size_t length = held_.find_last_not_of(" \n\t\r") + 1;
  out += '"' + held_.substr(0, length) + '"' + held_.substr(length) + ':';
  held_.clear();
  in_key_ = false;
  state_ = State::kValue;
  return Status::kMore;
}

JsonMender::Status JsonMender::number(char byte, std::string& out) {
  const bool digit = is_digit(byte);
  State next = state_;
  bool taken = digit;
  switch (state_) {
    case State::kMinus:
      next = byte == '0' ? State::kZero : State::kInteger;
      break;
    case State::kPoint:
      next = State::kFraction;
      break;
    case State::kExponent:
      next = digit ? State::kExponentDigits : State::kExponentSign;
      taken = digit || byte == '+' || byte == '-';
      break;
    case State::kExponentSign:
      next = State::kExponentDigits;
      break;
    case State::kExponentDigits:
      break;
    default:  // a whole number or fraction, which may end here
      if (state_ == State::kZero) taken = false;
      if (byte == '.' && state_ != State::kFraction) {
        next = State::kPoint;
        taken = true;
      } else if (byte == 'e' || byte == 'E') {
        next = State::kExponent;
        taken = true;
      }
  }
  if (taken) {
    out += byte;
    state_ = next;
    return Status::kMore;
  }
  const bool complete = state_ == State::kZero || state_ == State::kInteger || state_ == State::kFraction ||
                        state_ == State::kExponentDigits;
  return complete ? ended(byte, out) : Status::kBad;
}

/// A number or word was complete before `byte`.
JsonMender::Status JsonMender::ended(char byte, std::string& out) {
  state_ = State::kAfterValue;
  if (open_.empty()) return Status::kEnded;
  return is_json_space(byte) ? space(byte, out) : after_value(byte, out);
}

JsonMender::Status JsonMender::after_value(char byte, std::string& out) {
  if (byte == ',' && state_ == State::kAfterValue) {
    held_ = byte;
    state_ = State::kComma;
    return Status::kMore;
  }
  if (byte != (open_.back() == '{' ? '}' : ']')) return Status::kBad;
  out += byte;
  open_.pop_back();
  return close();
}

JsonMender::Status JsonMender::comma(char byte, std::string& out) {
  if (byte == '}' || byte == ']') {
    if (byte != (open_.back() == '{' ? '}' : ']')) return Status::kBad;
    held_.erase(0, 1);
    release(out);
    return after_value(byte, out);
  }
  release(out);
  if (open_.back() == '{') {
    state_ = State::kKey;
    return key(byte, out);
  }
  state_ = State::kValue;
  return value(byte, out);
}

JsonMender::Status JsonMender::open(char bracket, std::string& out) {
  if (open_.size() == kMaxDepth) return Status::kBad;
  out += bracket;
  open_.push_back(bracket);
  state_ = bracket == '{' ? State::kFirstKey : State::kFirstElement;
  return Status::kMore;
}

JsonMender::Status JsonMender::close() {
  state_ = State::kAfterValue;
  return open_.empty() ? Status::kDone : Status::kMore;
}

}  // namespace caravel::chat
