#include "chat/call_parser.h"

#include <algorithm>
#include <utility>

namespace caravel::chat {

CallParser::Match CallParser::match(std::string_view text, std::string_view mark) {
  if (!mark.starts_with(text)) return Match::kNo;
  return text.size() == mark.size() ? Match::kWhole : Match::kPartly;
}

CallParser::Read CallParser::broken() {
  held_ = arguments()->held();
  broken_ = {.closing = arguments()->closing(), .tail = "", .has_text = false};
  return Read::kBroken;
}

std::vector<Piece> CallParser::feed(std::string_view text) {
  for (const char byte : text) take(byte);
  return out_.take();
}

void CallParser::take(char byte) {
  if (is_broken_) {
    broken_byte(byte);
  } else if (reading_calls_) {
    call_byte(byte);
  } else {
    text_byte(byte);
  }
}

std::vector<Piece> CallParser::finish() {
  if (is_broken_) {
    if (mark_.empty()) {
      broken_.has_text = true;  // the answer may be cut here: what is missing is not known
    } else {
      broken_.tail += std::exchange(mark_, {});
    }
    end_broken();
  }
  // What waits for more is the arguments', as it was written.
  if (reading_calls_) out_.arguments(held());
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
  if (status == Read::kOwn) mark_.clear();
  if (status == Read::kMore || status == Read::kOwn) return;
  if (status == Read::kAgain) return call_byte(byte);
  if (status == Read::kBroken) {
    is_broken_ = true;
    for (const char again : std::exchange(held_, {}) + byte) take(again);
    return;
  }
  reading_calls_ = false;
  out_.end_call();
  const bool called = out_.calls() > calls_before_;
  after_call_ = after_call_ || called;
  std::string rest = std::exchange(mark_, {});
  if (status == Read::kDone && called) return;
  if (status == Read::kNext) {
    for (const Ending& ending : endings()) {
      if (ending.opens) rest = ending.mark;
    }
  }
  // Before any call all but the last byte is known to be content; after one it is a few bytes, which may open more.
  const size_t known = called ? 0 : rest.size() - 1;
  if (known > 0) content(rest.substr(0, known));
  for (const char again : rest.substr(known)) take(again);
}

void CallParser::broken_byte(char byte) {
  mark_ += byte;
  while (!mark_.empty()) {
    Match found = Match::kNo;
    Ending by;
    for (const Ending& ending : endings()) {
      const Match with = match(mark_, ending.mark);
      if (with == Match::kWhole) by = ending;
      found = std::max(found, with);
    }
    if (found == Match::kPartly) return;
    if (found == Match::kWhole) {
      const std::string mark = std::exchange(mark_, {});
      end_broken();
      if (by.more_follow) {
        reading_calls_ = true;
        go_on();
      }
      if (by.opens) {
        for (const char again : mark) take(again);
      }
      return;
    }
    const char first = mark_[0];
    mark_.erase(0, 1);
    broken_.tail += first;
    if (is_json_space(first) || first == '}' || first == ']') continue;
    out_.arguments(std::exchange(broken_.tail, {}));
    broken_.has_text = true;
  }
}

/// Gives out what is left of arguments that could not be read, without the brackets that are the call's.
void CallParser::end_broken() {
  std::string& tail = broken_.tail;
  const auto trim = [&tail] { tail.erase(tail.find_last_not_of(" \n\t\r") + 1); };
  trim();
  if (tail.empty() && !broken_.has_text) {
    tail = broken_.closing;
  } else {
    const std::string_view around = brackets();
    for (auto bracket = around.rbegin(); bracket != around.rend(); ++bracket) {
      // Arguments open with a brace, so that they have one of their own.
      if (!tail.ends_with(*bracket) || (*bracket == '}' && std::ranges::count(tail, '}') < 2)) continue;
      tail.pop_back();
      trim();
    }
  }
  out_.arguments(tail);
  out_.end_call();
  is_broken_ = reading_calls_ = false;
  after_call_ = true;
}

}  // namespace caravel::chat
