#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fields/json.h"

namespace caravel::server {

/// What is still to be sent of an answer, in order. Long lists (an entry for each token, with the likely ones at its
/// place) become text when their turn comes: of an answer of any size only a piece is text at once. One thread at a
/// time.
class AnswerText {
 public:
  /// Appends entry `i` of a list to `out`, as JSON. Called for each in turn.
  using WriteEntry = std::function<void(size_t i, std::string& out)>;
  /// How long pieces are, give or take an entry.
  static constexpr size_t kPiece = 64 << 10;

  /// Stands for a list of `count` entries within the next Json that is added; a short one is made at once. What `write`
  /// refers to must last until the text is sent.
  Json list(size_t count, WriteEntry write);
  void add_text(std::string_view text);
  void add_json(const Json& json);
  /// Moves the next piece to the end of `out`.
  void take(std::string& out);

  bool empty() const { return parts_.empty(); }
  /// What could be added to it should wait until some of it is sent.
  bool is_long() const { return parts_.size() > 1 || (!empty() && parts_.front().text.size() >= kPiece); }

 private:
  /// A text, and then a list of which it may be the beginning.
  struct Part {
    std::string text;
    size_t count = 0;
    WriteEntry write;    // empty: there is no list
    size_t written = 0;  // entries

    /// More of the list at the end of `out`, until that has `enough` bytes. True: all of it.
    bool write_list(std::string& out, size_t enough);
  };

  std::deque<Part> parts_;
  std::vector<Part> lists_;  // what stands for them is not added yet
};

}  // namespace caravel::server
