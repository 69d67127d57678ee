#pragma once

#include <cstdint>
#include <vector>

namespace caravel::cache {

/// How much a pool of KV blocks holds at the worst.
struct Capacity {
  int block_size = 16;             // tokens
  int64_t blocks = 0;              // of the pool
  std::vector<int> windows = {0};  // each KV group's window; 0: every token sees all before it

  /// Most blocks that `sequences` of one prompt, each growing to `max_tokens`, ever need together to go on (one token
  /// at a time), the prompt's full blocks being shared.
  int64_t worst_case_blocks(int64_t prompt_tokens, int64_t max_tokens, int64_t sequences) const;
  /// The longest that `sequences` of one prompt may each grow to, at most `limit`; 0 where not even the prompt fits so
  /// often.
  int64_t most_tokens(int64_t prompt_tokens, int64_t sequences, int64_t limit) const;
};

}  // namespace caravel::cache
