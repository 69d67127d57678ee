#include "chat/json_scanner.h"

namespace caravel::chat {
namespace {

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

bool is_hex(char byte) { return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F'); }

}  // namespace

void JsonScanner::reset() {
  state_ = State::kValue;
  in_key_ = false;
  open_.clear();
}

JsonScanner::Status JsonScanner::feed(char byte) {
  switch (state_) {
    case State::kString:
    case State::kEscape:
    case State::kHex:
      return string(byte);
    case State::kMinus:
    case State::kZero:
    case State::kInteger:
    case State::kPoint:
    case State::kFraction:
    case State::kExponent:
    case State::kExponentSign:
    case State::kExponentDigits:
      return number(byte);
    case State::kLiteral:
      if (byte != literal_[0]) return Status::kBad;
      literal_.remove_prefix(1);
      return literal_.empty() ? close() : Status::kMore;
    default:
      break;
  }
  if (is_json_space(byte)) return open_.empty() ? Status::kBad : Status::kMore;
  switch (state_) {
    case State::kFirstElement:
      return byte == ']' ? after_value(byte) : value(byte);
    case State::kFirstKey:
      if (byte == '}') return after_value(byte);
      [[fallthrough]];
    case State::kKey:
      if (byte != '"') return Status::kBad;
      in_key_ = true;
      state_ = State::kString;
      return Status::kMore;
    case State::kColon:
      if (byte != ':') return Status::kBad;
      state_ = State::kValue;
      return Status::kMore;
    case State::kAfterValue:
      return after_value(byte);
    default:
      return value(byte);
  }
}

JsonScanner::Status JsonScanner::value(char byte) {
  switch (byte) {
    case '{':
    case '[':
      return open(byte);
    case '"':
      state_ = State::kString;
      return Status::kMore;
    case 't':
      literal_ = "rue";
      break;
    case 'f':
      literal_ = "alse";
      break;
    case 'n':
      literal_ = "ull";
      break;
    case '-':
      state_ = State::kMinus;
      return Status::kMore;
    default:
      if (!is_digit(byte)) return Status::kBad;
      state_ = byte == '0' ? State::kZero : State::kInteger;
      return Status::kMore;
  }
  state_ = State::kLiteral;
  return Status::kMore;
}

JsonScanner::Status JsonScanner::string(char byte) {
  if (state_ == State::kHex) {
    if (!is_hex(byte)) return Status::kBad;
    if (--hex_left_ == 0) state_ = State::kString;
    return Status::kMore;
  }
  if (state_ == State::kEscape) {
    if (std::string_view("\"\\/bfnrtu").find(byte) == std::string_view::npos) return Status::kBad;
    hex_left_ = 4;
    state_ = byte == 'u' ? State::kHex : State::kString;
    return Status::kMore;
  }
  if (static_cast<unsigned char>(byte) < 0x20) return Status::kBad;
  if (byte == '\\') state_ = State::kEscape;
  if (byte != '"') return Status::kMore;
  if (in_key_) {
    in_key_ = false;
    state_ = State::kColon;
    return Status::kMore;
  }
  return close();
}

JsonScanner::Status JsonScanner::number(char byte) {
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
    state_ = next;
    return Status::kMore;
  }
  const bool complete = state_ == State::kZero || state_ == State::kInteger || state_ == State::kFraction ||
                        state_ == State::kExponentDigits;
  if (!complete) return Status::kBad;
  if (open_.empty()) return Status::kEnded;
  state_ = State::kAfterValue;
  return is_json_space(byte) ? Status::kMore : after_value(byte);
}

JsonScanner::Status JsonScanner::after_value(char byte) {
  if (byte == ',' && state_ == State::kAfterValue) {
    state_ = open_.back() == '{' ? State::kKey : State::kValue;
    return Status::kMore;
  }
  if (byte != (open_.back() == '{' ? '}' : ']')) return Status::kBad;
  open_.pop_back();
  return close();
}

JsonScanner::Status JsonScanner::open(char bracket) {
  if (open_.size() == kMaxDepth) return Status::kBad;
  open_.push_back(bracket);
  state_ = bracket == '{' ? State::kFirstKey : State::kFirstElement;
  return Status::kMore;
}

JsonScanner::Status JsonScanner::close() {
  state_ = State::kAfterValue;
  return open_.empty() ? Status::kDone : Status::kMore;
}

}  // namespace caravel::chat
