#pragma once

#include <cstdint>
#include <vector>

namespace caravel::engine {

/// Notices an answer that goes round in a circle: its last `window` tokens are one run of at most a quarter of them,
/// again and again. A small model that has lost its thread does so until its context is full.
class RepetitionWatch {
 public:
  /// window: 0 or more tokens; 0 to 3 notice nothing.
  explicit RepetitionWatch(int window);

  /// The next token of the answer; true: it goes round. O(window / 4).
  bool add(int32_t token);

 private:
  int window_;
  int64_t count_ = 0;
  std::vector<int32_t> last_;   // a ring of the last window / 4 tokens
  std::vector<int32_t> equal_;  // [period - 1]: how many tokens in a row, up to the last, are those a period before
};

}  // namespace caravel::engine
