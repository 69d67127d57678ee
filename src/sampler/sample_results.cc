#include "sampler/sample_results.h"

#include <algorithm>

namespace caravel::sampler {

void SampleResults::begin(std::span<const SampleRow> rows) {
  top_begin_.assign(1, 0);
  ranked_.clear();
  for (const SampleRow& row : rows) {
    ranked_.push_back(row.top >= 0);
    top_begin_.push_back(top_begin_.back() + static_cast<size_t>(std::max(row.top, 0)));
  }
  const size_t tops = top_begin_.back();
  arrays_.begin(6 * MirroredArrays::bytes_of<float>(rows.size()) + 2 * MirroredArrays::bytes_of<float>(tops));
  const auto add = [&]<typename T>(T* Arrays::*member, size_t count) {
    const MirroredArrays::Array<T> array = arrays_.add<T>(count);
    device_.*member = array.device;
    host_.*member = array.host.data();
  };
  add(&Arrays::log_sum_exp, rows.size());
  add(&Arrays::logprobs, rows.size());
  add(&Arrays::argmax, rows.size());
  add(&Arrays::tokens, rows.size());
  add(&Arrays::ranks, rows.size());
  add(&Arrays::dead_ends, rows.size());
  add(&Arrays::top_logits, tops);
  add(&Arrays::top_tokens, tops);
}

SampleResults::Arrays SampleResults::from(size_t row) const {
  const size_t top = top_begin_[row];
  return {.log_sum_exp = device_.log_sum_exp + row,
          .logprobs = device_.logprobs + row,
          .argmax = device_.argmax + row,
          .tokens = device_.tokens + row,
          .ranks = device_.ranks + row,
          .dead_ends = device_.dead_ends + row,
          .top_logits = device_.top_logits + top,
          .top_tokens = device_.top_tokens + top};
}

}  // namespace caravel::sampler
