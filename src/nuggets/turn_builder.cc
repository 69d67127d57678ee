#include "nuggets/turn_builder.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"

namespace caravel::nuggets {

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos; }

size_t TurnBuilder::say(Message message, size_t before) {
  const size_t place = thread_->entries.size();
  const bool is_user = message.role == "user";
  asked_.push_back(is_user ? place : before == kNothingBefore ? kNothingBefore : asked_[before]);
  thread_->entries.push_back({.message = std::move(message), .before = before});
  return place;
}

size_t TurnBuilder::begin_with_system(std::string text) {
  if (is_blank(text)) return kNothingBefore;
  return say({.role = "system", .content = std::move(text)});
}

void TurnBuilder::add_turn(size_t place, std::string input) {
  const size_t asked = asked_[place];
  if (is_blank(thread_->entries[place].message.content)) {
    ++blank_;
  } else if (asked == kNothingBefore || is_blank(thread_->entries[asked].message.content)) {
    ++unasked_;
  } else {
    content_.turns.push_back({.thread = thread_, .place = place, .input = std::move(input)});
  }
}

RowContent TurnBuilder::finish() {
  const size_t left_out = blank_ + unasked_;
  if (content_.turns.empty()) {
    if (left_out == 0) throw FormatError("no assistant answers in it");
    throw FormatError(unasked_ == 0 ? "its answer is empty" : "its answer follows no text of a user");
  }
  if (left_out > 0) {
    content_.left_out = fmt::format("{} of its {} answers are left out: {} empty, {} after no text of a user", left_out,
                                    left_out + content_.turns.size(), blank_, unasked_);
  }
  return std::move(content_);
}

}  // namespace caravel::nuggets
