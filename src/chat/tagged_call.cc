#include "chat/tagged_call.h"

#include <utility>

namespace caravel::chat {
namespace {

/// An argument's name as it stands between its tags: without white space or quotes around it.
std::string_view bare(std::string_view name) {
  constexpr std::string_view kAround = " \n\t\r\"'";
  const size_t first = name.find_first_not_of(kAround);
  if (first == std::string_view::npos) return {};
  return name.substr(first, name.find_last_not_of(kAround) + 1 - first);
}

}  // namespace

void TaggedCall::begin(std::string_view name) {
  name_ = name;
  mark_.clear();
  state_ = State::kBetween;
  announced_ = is_closed_ = false;
  arguments_.clear();
}

CallStatus TaggedCall::feed(char byte) {
  switch (state_) {
    case State::kKey:
      return key(byte);
    case State::kValue:
      return value(byte);
    case State::kObject:
      return object(byte);
    default:
      return tag(byte);
  }
}

void TaggedCall::announce() {
  if (!announced_) out_.begin_call(name_);
  announced_ = true;
}

CallStatus TaggedCall::tag(char byte) {
  if (mark_.empty()) {
    if (is_json_space(byte)) return CallStatus::kMore;
    if (byte == '{' && !announced_) {
      announce();
      mender_.reset();
      state_ = State::kObject;
      return object(byte);
    }
  }
  mark_ += byte;
  while (!mark_.empty()) {
    if (mark_ == tags_.key && !is_closed_) {
      announce();
      mark_.clear();
      text_.clear();
      state_ = State::kKey;
      return CallStatus::kMore;
    }
    if (mark_ == tags_.value && state_ == State::kBeforeValue) {
      begin_value(text_);
      return CallStatus::kMore;
    }
    if (mark_ == tags_.end) return end(End::kCall);
    if (announced_ && mark_ == tags_.outer_end) return end(End::kAllCalls);
    if (announced_ && mark_ == tags_.next) return end(End::kNextCall);
    bool may_become_one = false;
    for (const std::string_view text : {tags_.key, tags_.value, tags_.end, tags_.outer_end, tags_.next}) {
      may_become_one |= text.size() > mark_.size() && text.starts_with(mark_);
    }
    if (may_become_one) return CallStatus::kMore;
    if (!announced_) return CallStatus::kBad;
    if (state_ == State::kBeforeValue) {  // its tag was left out
      const std::string begun = std::exchange(mark_, {});
      begin_value(text_);
      for (const char again : begun) value(again);
      return CallStatus::kMore;
    }
    mark_.erase(0, 1);
  }
  return CallStatus::kMore;
}

CallStatus TaggedCall::key(char byte) {
  text_ += byte;
  if (text_.ends_with(tags_.key_end)) {
    text_.resize(text_.size() - tags_.key_end.size());
    state_ = State::kBeforeValue;
    if (tags_.value.empty()) begin_value(text_);
  } else if (!tags_.value.empty() && text_.ends_with(tags_.value)) {
    begin_value(std::string_view(text_).substr(0, text_.size() - tags_.value.size()));
  }
  return CallStatus::kMore;
}

void TaggedCall::begin_value(std::string_view tag) {
  const std::string name(bare(tag));
  const bool is_first = arguments_.empty();
  // What was streamed of the first cannot be taken back.
  is_again_ = !arguments_.insert(name).second;
  kinds_ = argument_kinds(tools_, name_, name);
  if (!is_again_) {
    out_.arguments((is_first ? "{" : ", ") + to_text(Json(name)) + ": ");
    if (kinds_ == kStringAlone) out_.arguments("\"");
  }
  mark_.clear();
  text_.clear();
  at_value_ = true;
  line_ended_ = false;
  state_ = State::kValue;
}

/// A byte of the value.
void TaggedCall::put(char byte) {
  if (is_again_) return;
  if (kinds_ == kStringAlone) {
    out_.arguments(json_escaped(byte));
  } else {
    text_ += byte;
  }
}

CallStatus TaggedCall::value(char byte) {
  mark_ += byte;
  while (!tags_.value_end.starts_with(mark_)) {
    const bool is_first = std::exchange(at_value_, false);
    const bool is_break = tags_.own_lines && mark_[0] == '\n';
    if (!(is_break && is_first)) {
      if (std::exchange(line_ended_, is_break)) put('\n');
      if (!is_break) put(mark_[0]);
    }
    mark_.erase(0, 1);
  }
  if (mark_ != tags_.value_end) return CallStatus::kMore;
  if (!is_again_) out_.arguments(kinds_ == kStringAlone ? "\"" : argument_json(text_, kinds_));
  mark_.clear();
  state_ = State::kBetween;
  return CallStatus::kMore;
}

CallStatus TaggedCall::object(char byte) {
  mended_.clear();
  const JsonMender::Status status = mender_.feed(byte, mended_);
  if (status == JsonMender::Status::kBad) return CallStatus::kBroken;
  out_.arguments(mended_);
  if (status == JsonMender::Status::kDone) {
    is_closed_ = true;
    state_ = State::kBetween;
  }
  return CallStatus::kMore;
}

CallStatus TaggedCall::end(End by) {
  announce();
  if (!is_closed_) out_.arguments(arguments_.empty() ? "{}" : "}");
  out_.end_call();
  mark_.clear();
  ended_by_ = by;
  return CallStatus::kDone;
}

std::string TaggedCall::held() const {
  if (state_ == State::kObject) return mender_.held();
  if (state_ != State::kValue || is_again_) return {};
  const std::string waiting = (line_ended_ ? "\n" : "") + mark_;
  if (kinds_ != kStringAlone) return text_ + waiting;
  std::string escaped;
  for (const char byte : waiting) escaped += json_escaped(byte);
  return escaped;
}

}  // namespace caravel::chat
