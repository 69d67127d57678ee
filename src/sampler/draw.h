#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "device/device.h"
#include "sampler/sampling_rules.h"

namespace caravel::sampler {

/// What one row of logits is for.
struct SampleRow {
  int32_t sampler = -1;  // the slot that draws a token and takes it up; -1: `token` is given
  int32_t mask = -1;     // where one is drawn, which of the masks says what may be; -1: all
  int32_t token = 0;     // where it is given: whose log-probability is wanted
  int32_t top = -1;      // -1: the token alone; 0: its log-probability and rank too; K: and of the K most likely
};

/// Device memory.
struct DrawArgs {
  const SampleRow* rows = nullptr;  // [count], no slot twice
  int64_t count = 0;
  int64_t vocab_size = 0;
  const uint32_t* masks = nullptr;     // [masks, words_of(vocab_size)]: bit by bit which tokens may be drawn
  float* logits = nullptr;             // [count, vocab_size]; unchanged afterwards
  const float* log_sum_exp = nullptr;  // [count]
  const int32_t* argmax = nullptr;     // [count]
  int32_t* last_draws = nullptr;       // out: by slot
  int32_t* tokens = nullptr;           // out: [count], drawn or given
  int32_t* dead_ends = nullptr;  // out: [count], 1 where the row's mask leaves none; `tokens` has the argmax then,
                                 // and the slot does not take it up
  float* logprobs = nullptr;     // out: [count], natural logarithms
};

/// A slot begins anew: for the `index`-th answer to a prompt.
struct DrawBegin {
  int32_t slot = 0;
  std::shared_ptr<const SamplingRules> rules;
  uint32_t index = 0;
  std::span<const int32_t> prompt;
};

/// Draws on one device. It owns the slots, which change in the stream's order alone, and what drawing takes besides.
/// One thread at a time, one stream.
class Drawer {
 public:
  virtual ~Drawer() = default;
  /// Enqueues it; `begin` is read at once. Draws that were enqueued before are still the old one's.
  virtual void begin(Stream& stream, const DrawBegin& begin) = 0;
  /// Enqueues it, behind what has written the logits.
  virtual void draw(Stream& stream, const DrawArgs& args) = 0;
};

std::unique_ptr<Drawer> make_drawer(Device& device, int64_t vocab_size);

}  // namespace caravel::sampler
