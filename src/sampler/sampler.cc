#include "sampler/sampler.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/logits.h"

namespace caravel::sampler {

Sampler::Sampler(Device& device, int64_t vocab_size, int64_t max_rows, int max_top)
    : vocab_size_(vocab_size),
      max_rows_(max_rows),
      max_top_(static_cast<int>(std::min<int64_t>(max_top, vocab_size))),
      top_begin_(static_cast<size_t>(max_rows)),
      drawer_(make_drawer(device, vocab_size)) {
  const auto rows = static_cast<size_t>(max_rows);
  const size_t tops = rows * static_cast<size_t>(max_top_);
  buffer_ = device.allocate((6 * rows + 2 * tops) * sizeof(float));
  log_sum_exp_ = buffer_.as<float>();
  logprobs_ = log_sum_exp_ + rows;
  top_logits_ = logprobs_ + rows;
  argmax_ = reinterpret_cast<int32_t*>(top_logits_ + tops);
  tokens_ = argmax_ + rows;
  ranks_ = tokens_ + rows;
  dead_ends_ = ranks_ + rows;
  top_tokens_ = dead_ends_ + rows;
}

void Sampler::sample(Stream& stream, float* logits, std::span<const SampleRow> rows) {
  const auto count = static_cast<int64_t>(rows.size());
  CARAVEL_CHECK_LE(count, max_rows_);
  if (count == 0) return;
  kernels::log_sum_exp(
      stream, {.logits = f32_tensor(logits, count, vocab_size_), .log_sum_exp = log_sum_exp_, .argmax = argmax_});
  drawer_->draw(stream, {.rows = rows.data(),
                         .count = count,
                         .vocab_size = vocab_size_,
                         .logits = logits,
                         .log_sum_exp = log_sum_exp_,
                         .argmax = argmax_,
                         .tokens = tokens_,
                         .dead_ends = dead_ends_,
                         .logprobs = logprobs_});
  // Neighbours that want the same go in one call; their top tokens then lie close-packed.
  for (int64_t begin = 0; begin < count;) {
    const int top = rows[static_cast<size_t>(begin)].top;
    CARAVEL_CHECK_LE(top, max_top_);
    int64_t end = begin + 1;
    while (end < count && rows[static_cast<size_t>(end)].top == top) ++end;
    const Tensor run = f32_tensor(logits + begin * vocab_size_, end - begin, vocab_size_);
    if (top >= 0) {
      kernels::token_rank(stream, {.logits = run, .tokens = tokens_ + begin, .ranks = ranks_ + begin});
    }
    if (top > 0) {
      kernels::top_k(stream, {.logits = run,
                              .k = top,
                              .values = top_logits_ + begin * max_top_,
                              .indices = top_tokens_ + begin * max_top_});
    }
    for (int64_t r = begin; r < end; ++r) {
      top_begin_[static_cast<size_t>(r)] = static_cast<size_t>(begin * max_top_ + (r - begin) * std::max(top, 0));
    }
    begin = end;
  }
}

}  // namespace caravel::sampler
