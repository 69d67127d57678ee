#include "chat/call_parser.h"

#include <utility>

namespace caravel::chat {

CallParser::Match CallParser::match(std::string_view text, std::string_view mark) {
  if (!mark.starts_with(text)) return Match::kNo;
  return text.size() == mark.size() ? Match::kWhole : Match::kPartly;
}

std::vector<Piece> CallParser::feed(std::string_view text) {
  for (const char byte : text) {
    if (reading_calls_) {
      call_byte(byte);
    } else {
      text_byte(byte);
    }
  }
  return out_.take();
}

std::vector<Piece> CallParser::finish() {
  const bool called = reading_calls_ && out_.calls() > calls_before_;
  if (called && may_end()) {
    mark_.clear();
    after_call_ = true;
  }
  if (after_call_ && mark_.empty()) space_.clear();
  content(std::exchange(mark_, {}));
  return out_.take();
}

void CallParser::content(std::string_view text) {
  out_.content(std::exchange(space_, {}));
  out_.content(text);
  if (!text.empty()) at_start_ = after_call_ = false;
}

void CallParser::text_byte(char byte) {
  mark_ += byte;
  while (!mark_.empty()) {
    if (is_json_space(mark_[0])) {
      space_ += mark_[0];
      mark_.erase(0, 1);
      continue;
    }
    const Match found = opens(mark_, at_start_);
    if (found == Match::kPartly) return;
    if (found == Match::kWhole) {
      reading_calls_ = true;
      calls_before_ = out_.calls();
      begin(mark_);
      return;
    }
    content(mark_.substr(0, 1));
    mark_.erase(0, 1);
  }
}

void CallParser::call_byte(char byte) {
  mark_ += byte;
  const int calls = out_.calls();
  const bool in_call = out_.in_call();
  const Read status = read(byte);
  if (in_call || out_.calls() > calls) {  // the byte was the call's, unless it broke it
    mark_.clear();
    space_.clear();
    at_start_ = false;
    if (status == Read::kNotCalls) mark_ = byte;
  }
  if (status == Read::kMore) return;
  reading_calls_ = false;
  out_.end_call();
  const bool called = out_.calls() > calls_before_;
  after_call_ = after_call_ || called;
  std::string rest = std::exchange(mark_, {});
  if (status == Read::kDone) return;
  // Before any call all but the last byte is known to be content; after one it is a few bytes, which may open more.
  const size_t known = called ? 0 : rest.size() - 1;
  if (known > 0) content(rest.substr(0, known));
  for (const char again : rest.substr(known)) {
    if (reading_calls_) {
      call_byte(again);
    } else {
      text_byte(again);
    }
  }
}

}  // namespace caravel::chat
