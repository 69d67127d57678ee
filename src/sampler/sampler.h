#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "device/device.h"
#include "sampler/draw.h"

namespace caravel::sampler {

/// Draws the next token of every row and computes log-probabilities, all on the model's own logits as they lie: they
/// are not copied, and are unchanged afterwards. What comes out of a row depends on that row alone, to the bit. One
/// thread at a time.
class Sampler {
 public:
  /// max_rows: of one call. max_top: the largest SampleRow::top. Throws CapacityError.
  Sampler(Device& device, int64_t vocab_size, int64_t max_rows, int max_top);

  /// Enqueues it for `logits` [rows.size(), vocab_size]. `rows` must stay until the stream is synchronised; then the
  /// results below hold, until the next call.
  void sample(Stream& stream, float* logits, std::span<const SampleRow> rows);

  int32_t token(size_t row) const { return tokens_[row]; }
  /// The row has a mask, and no token that it allows may be drawn: token() is none of them.
  bool dead_end(size_t row) const { return dead_ends_[row] != 0; }
  /// Natural logarithm; where the row asked for it.
  float logprob(size_t row) const { return logprobs_[row]; }
  int32_t rank(size_t row) const { return ranks_[row]; }
  /// [top] of the row, most likely first.
  std::span<const int32_t> top_tokens(size_t row, int top) const {
    return {top_tokens_ + top_begin_[row], static_cast<size_t>(top)};
  }
  /// The i-th of them.
  float top_logprob(size_t row, int i) const {
    return top_logits_[top_begin_[row] + static_cast<size_t>(i)] - log_sum_exp_[row];
  }

 private:
  const int64_t vocab_size_;
  const int64_t max_rows_;
  const int max_top_;
  std::vector<size_t> top_begin_;  // [max_rows]: where a row's top tokens begin
  Buffer buffer_;                  // all of the following
  float* log_sum_exp_;             // [max_rows]
  float* logprobs_;                // [max_rows]
  int32_t* argmax_;                // [max_rows]
  int32_t* tokens_;                // [max_rows]
  int32_t* ranks_;                 // [max_rows]
  int32_t* dead_ends_;             // [max_rows]
  float* top_logits_;              // [max_rows * max_top]
  int32_t* top_tokens_;            // [max_rows * max_top]
  std::unique_ptr<Drawer> drawer_;
};

}  // namespace caravel::sampler
