#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "device/device.h"
#include "sampler/draw.h"
#include "sampler/sample_results.h"

namespace caravel::sampler {

struct SampleArgs {
  float* logits = nullptr;            // [rows, vocab_size]; device memory, unchanged afterwards
  std::span<const SampleRow> rows;    // host memory, read at once
  const SampleRow* staged = nullptr;  // the same in the device's memory
  const uint32_t* masks = nullptr;    // DrawArgs::masks
  SampleResults* results = nullptr;   // out
  size_t first = 0;                   // where the rows stand in `results`
};

/// Draws the next token of every row and computes log-probabilities, all on the model's own logits as they lie: they
/// are not copied, and are unchanged afterwards. What comes out of a row depends on that row alone, to the bit. One
/// thread at a time, one stream.
class Sampler {
 public:
  Sampler(Device& device, int64_t vocab_size);

  /// Enqueues that a slot begins anew; `begin` is read at once. Throws CapacityError.
  void begin(Stream& stream, const DrawBegin& begin);
  /// Enqueues it, behind what has written the logits.
  void sample(Stream& stream, const SampleArgs& args);

  /// What each slot drew last; device memory, until more slots are begun. As long where the same slots were begun.
  std::span<int32_t> last_draws() const {
    if (last_draws_.empty()) return {};
    return {last_draws_.back().address<int32_t>(), last_draws_.back().size() / sizeof(int32_t)};
  }

 private:
  const int64_t vocab_size_;
  std::unique_ptr<Drawer> drawer_;
  std::vector<Buffer> last_draws_;  // i32 [slots]: the last one, and shorter ones that commands may still read
};

}  // namespace caravel::sampler
