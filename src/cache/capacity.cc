#include "cache/capacity.h"

#include <algorithm>

namespace caravel::cache {

int64_t Capacity::worst_case_blocks(int64_t prompt_tokens, int64_t max_tokens, int64_t sequences) const {
  const int64_t shared = prompt_tokens / block_size;
  const int64_t all = shared + sequences * ((max_tokens + block_size - 1) / block_size - shared);
  int64_t sum = 0;
  for (const int window : windows) {
    const int64_t spanned = (int64_t{window} + block_size - 2) / block_size + 1;  // the most that a window touches
    sum += window == 0 ? all : std::min(all, sequences * spanned);
  }
  return sum;
}

int64_t Capacity::most_tokens(int64_t prompt_tokens, int64_t sequences, int64_t limit) const {
  int64_t fits = prompt_tokens - 1;
  int64_t too_many = std::max(limit, fits) + 1;
  while (too_many - fits > 1) {
    const int64_t middle = fits + (too_many - fits) / 2;
    (worst_case_blocks(prompt_tokens, middle, sequences) <= blocks ? fits : too_many) = middle;
  }
  return fits < prompt_tokens ? 0 : fits;
}

}  // namespace caravel::cache
