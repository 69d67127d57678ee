#include "sampler/sampler.h"

#include <algorithm>

#include "kernels/logits.h"

namespace caravel::sampler {

Sampler::Sampler(Device& device, int64_t vocab_size)
    : vocab_size_(vocab_size), drawer_(make_drawer(device, vocab_size)) {}

void Sampler::begin(Stream& stream, const DrawBegin& begin) {
  const size_t bytes = (static_cast<size_t>(begin.slot) + 1) * sizeof(int32_t);
  const size_t before = last_draws_.empty() ? 0 : last_draws_.back().size();
  if (bytes > before) {
    last_draws_.push_back(stream.device().allocate(std::max(bytes, std::max<size_t>(2 * before, 256))));
    if (before > 0) stream.copy(last_draws_.back().address(), last_draws_.end()[-2].address(), before);
  }
  drawer_->begin(stream, begin);
}

void Sampler::sample(Stream& stream, const SampleArgs& args) {
  const auto count = static_cast<int64_t>(args.rows.size());
  if (count == 0) return;
  const SampleResults::Arrays out = args.results->from(args.first);
  kernels::log_sum_exp(
      stream,
      {.logits = f32_tensor(args.logits, count, vocab_size_), .log_sum_exp = out.log_sum_exp, .argmax = out.argmax});
  drawer_->draw(stream, {.rows = args.staged,
                         .count = count,
                         .vocab_size = vocab_size_,
                         .masks = args.masks,
                         .logits = args.logits,
                         .log_sum_exp = out.log_sum_exp,
                         .argmax = out.argmax,
                         .last_draws = last_draws().data(),
                         .tokens = out.tokens,
                         .dead_ends = out.dead_ends,
                         .logprobs = out.logprobs});
  // Neighbours that want the same go in one call.
  for (int64_t begin = 0; begin < count;) {
    const int top = args.rows[static_cast<size_t>(begin)].top;
    int64_t end = begin + 1;
    while (end < count && args.rows[static_cast<size_t>(end)].top == top) ++end;
    const SampleResults::Arrays run_out = args.results->from(args.first + static_cast<size_t>(begin));
    const Tensor run = f32_tensor(args.logits + begin * vocab_size_, end - begin, vocab_size_);
    if (top >= 0) kernels::token_rank(stream, {.logits = run, .tokens = run_out.tokens, .ranks = run_out.ranks});
    if (top > 0) {
      kernels::top_k(stream, {.logits = run, .k = top, .values = run_out.top_logits, .indices = run_out.top_tokens});
    }
    begin = end;
  }
}

}  // namespace caravel::sampler
