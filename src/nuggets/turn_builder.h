#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nuggets/row.h"
#include "nuggets/row_shape.h"

namespace caravel::nuggets {

/// Of white space alone, or empty.
bool is_blank(std::string_view text);

/// Makes a row's turns of its messages.
class TurnBuilder {
 public:
  /// Returns the message's place. before: the place of the one that it follows.
  size_t say(Message message, size_t before = kNothingBefore);
  /// A system message, unless the text is blank: returns what the first message follows.
  size_t begin_with_system(std::string text);
  /// Makes a turn of the message that stands there, unless it is blank or follows no text of a user's.
  void add_turn(size_t place, std::string input = {});

  /// Throws FormatError: there is no turn.
  RowContent finish();

 private:
  std::shared_ptr<Thread> thread_ = std::make_shared<Thread>();
  std::vector<size_t> asked_;  // of each entry: the last user's message up to it
  RowContent content_;
  size_t blank_ = 0;    // answers
  size_t unasked_ = 0;  // answers
};

}  // namespace caravel::nuggets
