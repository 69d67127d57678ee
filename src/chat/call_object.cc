#include "chat/call_object.h"

#include <cctype>

namespace caravel::chat {
namespace {

/// The value of a JSON string; empty for what is none.
std::string unescape(const std::string& quoted) {
  const auto value = nlohmann::json::parse(quoted, nullptr, /*allow_exceptions=*/false);
  return value.is_string() ? value.get<std::string>() : std::string();
}

}  // namespace

ToolNames names_of(const Json& tools) {
  ToolNames names;
  for (const Json& tool : tools) names.insert(tool.at("function").at("name").get<std::string>());
  return names;
}

bool is_tool_name_byte(char byte) {
  return std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '_' || byte == '-' || byte == '.';
}

void CallObject::reset() {
  state_ = State::kOpen;
  name_.clear();
  arguments_.clear();
  has_arguments_ = announced_ = false;
}

CallStatus CallObject::feed(char byte) {
  if (state_ == State::kInValue) return in_value(byte);
  if (state_ == State::kInKey) {
    const JsonMender::Status status = mender_.feed(byte, text_);
    if (status == JsonMender::Status::kBad) return CallStatus::kBad;
    if (status == JsonMender::Status::kDone) {
      key_ = unescape(text_);
      state_ = State::kColon;
    }
    return CallStatus::kMore;
  }
  if (is_json_space(byte) && state_ != State::kOpen) return CallStatus::kMore;
  switch (state_) {
    case State::kOpen:
      state_ = State::kFirstKey;
      return byte == '{' ? CallStatus::kMore : CallStatus::kBad;
    case State::kColon:
      state_ = State::kBeforeValue;
      return byte == ':' ? CallStatus::kMore : CallStatus::kBad;
    case State::kBeforeValue:
      return begin_value(byte);
    case State::kAfterValue:
      return after_value(byte);
    default:  // an object without members is no call: no other way out than a key, or a comma too many before it
      if (byte == '}' && announced_) return end(CallStatus::kDone);
      if (byte != '"' && byte != '\'') return CallStatus::kBad;
      mender_.reset();
      text_.clear();
      mender_.feed(byte, text_);
      state_ = State::kInKey;
      return CallStatus::kMore;
  }
}

CallStatus CallObject::begin_value(char byte) {
  member_ = Member::kOther;
  if (key_ == "name" && name_.empty()) {
    if (byte != '"' && byte != '\'') return CallStatus::kBad;
    member_ = Member::kName;
    text_.clear();
  } else if ((key_ == "arguments" || key_ == "parameters") && !has_arguments_) {
    if (byte != '{') return CallStatus::kBad;
    member_ = Member::kArguments;
    has_arguments_ = true;
    if (!name_.empty()) {
      out_.begin_call(name_);
      announced_ = true;
    }
  }
  mender_.reset();
  state_ = State::kInValue;
  return in_value(byte);
}

CallStatus CallObject::in_value(char byte) {
  mended_.clear();
  const JsonMender::Status status = mender_.feed(byte, mended_);
  if (status == JsonMender::Status::kBad) return arguments() != nullptr ? CallStatus::kBroken : CallStatus::kBad;
  if (member_ == Member::kName) text_ += mended_;
  if (member_ == Member::kArguments) {
    if (announced_) {
      out_.arguments(mended_);
    } else {
      arguments_ += mended_;
    }
  }
  if (status == JsonMender::Status::kMore) return CallStatus::kMore;
  if (status == JsonMender::Status::kEnded) {
    state_ = State::kAfterValue;
    return is_json_space(byte) ? CallStatus::kMore : after_value(byte);
  }
  state_ = State::kAfterValue;
  return member_ != Member::kName || name_is_known() ? CallStatus::kMore : CallStatus::kBad;
}

bool CallObject::name_is_known() {
  name_ = unescape(text_);
  if (!tools_.contains(name_)) return false;
  if (has_arguments_) {
    out_.begin_call(name_);
    out_.arguments(arguments_);
    announced_ = true;
  }
  return true;
}

CallStatus CallObject::after_value(char byte) {
  if (byte == ',') {
    state_ = State::kKey;
    return CallStatus::kMore;
  }
  if (!announced_) return CallStatus::kBad;
  return end(byte == '}' ? CallStatus::kDone : CallStatus::kEnded);
}

CallStatus CallObject::end(CallStatus how) {
  out_.end_call();
  return how;
}

}  // namespace caravel::chat
