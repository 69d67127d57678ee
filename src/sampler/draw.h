#pragma once

#include <cstdint>
#include <memory>

#include "device/device.h"
#include "sampler/sampling_state.h"

namespace caravel::sampler {

/// What one row of logits is for.
struct SampleRow {
  const SamplingState* state = nullptr;  // draws a token by it; nullptr: `token` is given
  const uint32_t* mask = nullptr;        // where one is drawn, bit by bit which ones may be, 32 to a word; nullptr: all
  int32_t token = 0;                     // where it is given: whose log-probability is wanted
  int top = -1;  // -1: the drawn token alone; 0: its log-probability and rank too; K: and of the K most likely
};

struct DrawArgs {
  const SampleRow* rows = nullptr;  // [count]: host memory
  int64_t count = 0;
  int64_t vocab_size = 0;
  float* logits = nullptr;             // [count, vocab_size]; unchanged afterwards
  const float* log_sum_exp = nullptr;  // [count]
  const int32_t* argmax = nullptr;     // [count]
  int32_t* tokens = nullptr;           // out: [count], drawn or given
  int32_t* dead_ends = nullptr;        // out: [count], 1 where the row's mask leaves none; `tokens` has the argmax then
  float* logprobs = nullptr;           // out: [count], natural logarithms
};

/// Draws on one device. It owns what drawing takes besides. One thread at a time.
class Drawer {
 public:
  virtual ~Drawer() = default;
  /// Enqueues it.
  virtual void draw(Stream& stream, const DrawArgs& args) = 0;
};

std::unique_ptr<Drawer> make_drawer(Device& device, int64_t vocab_size);

}  // namespace caravel::sampler
