#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "device/mirrored_arrays.h"
#include "sampler/draw.h"

namespace caravel::sampler {

/// What came out of rows, in memory of the device, and with the host once it was copied.
class SampleResults {
 public:
  /// By row, but for the most likely tokens, which lie close-packed.
  struct Arrays {
    float* log_sum_exp = nullptr;
    float* logprobs = nullptr;  // natural logarithms
    int32_t* argmax = nullptr;
    int32_t* tokens = nullptr;
    int32_t* ranks = nullptr;
    int32_t* dead_ends = nullptr;
    float* top_logits = nullptr;
    int32_t* top_tokens = nullptr;
  };

  explicit SampleResults(Device& device) : arrays_(device) {}

  /// Begins anew, with room for what `rows` ask for. Throws CapacityError.
  void begin(std::span<const SampleRow> rows);
  /// On the device, from a row on.
  Arrays from(size_t row) const;
  /// Enqueues the copy to the host. Behind it what follows holds, until begin().
  void to_host(Stream& stream) const { arrays_.to_host(stream); }

  size_t size() const { return top_begin_.size() - 1; }
  int32_t token(size_t row) const { return host_.tokens[row]; }
  /// The row has a mask, and no token that it allows may be drawn: token() is none of them.
  bool dead_end(size_t row) const { return host_.dead_ends[row] != 0; }
  float logprob(size_t row) const { return host_.logprobs[row]; }
  /// Whether the row asked for what follows.
  bool ranked(size_t row) const { return ranked_[row]; }
  int32_t rank(size_t row) const { return host_.ranks[row]; }
  /// The most likely ones, most likely first.
  std::span<const int32_t> top_tokens(size_t row) const {
    return {host_.top_tokens + top_begin_[row], top_begin_[row + 1] - top_begin_[row]};
  }
  /// The i-th of them.
  float top_logprob(size_t row, size_t i) const {
    return host_.top_logits[top_begin_[row] + i] - host_.log_sum_exp[row];
  }

 private:
  MirroredArrays arrays_;
  std::vector<size_t> top_begin_ = {0};  // [rows + 1]: where a row's most likely tokens begin
  std::vector<bool> ranked_;
  Arrays device_;
  Arrays host_;
};

}  // namespace caravel::sampler
