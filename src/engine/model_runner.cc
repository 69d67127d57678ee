#include "engine/model_runner.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <thread>

#include "base/check.h"
#include "engine/kv_slots.h"

namespace caravel::engine {
namespace {

constexpr int64_t kSlice = model::Decoder::max_logit_rows();

/// From the first on.
int32_t common_blocks(const cache::BlockTable& a, const cache::BlockTable& b) {
  const int most = std::min(a.size(), b.size());
  int count = 0;
  while (count < most && a[count] == b[count]) ++count;
  return count;
}

/// A mask that comes a moment after the logits is worth that moment: else its row is drawn a step later.
void wait_briefly(std::span<const LogitsWant> wants) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
  for (const LogitsWant& want : wants) {
    const sampler::TokenMask* const mask = want.sample.mask;
    while (mask != nullptr && !mask->ready() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }
}

}  // namespace

ModelRunner::ModelRunner(Device& device, model::Decoder& decoder, KvStorage& storage, const Sizes& sizes)
    : device_(device),
      stream_(device.make_stream()),
      decoder_(decoder),
      storage_(storage),
      sampler_(device, decoder.config().vocab_size, kSlice, sizes.max_top),
      block_size_(storage.pool().block_size),
      table_stride_((sizes.max_model_len + block_size_ - 1) / block_size_) {
  const auto ints = [&](int64_t count) { return device.allocate(static_cast<size_t>(count) * sizeof(int32_t)); };
  token_ids_ = ints(sizes.max_tokens);
  positions_ = ints(sizes.max_tokens);
  query_start_ = ints(sizes.max_rows + 1);
  context_len_ = ints(sizes.max_rows);
  batch_.token_ids = token_ids_.as<int32_t>();
  batch_.positions = positions_.as<int32_t>();
  batch_.query_start = query_start_.as<int32_t>();
  batch_.context_len = context_len_.as<int32_t>();
  batch_.block_table_stride = table_stride_;
  const size_t groups = decoder.kv_layout().groups.size();
  CARAVEL_CHECK_LE(groups, static_cast<size_t>(model::kMaxKvGroups));
  for (size_t g = 0; g < groups; ++g) {
    slots_.push_back(device.allocate(static_cast<size_t>(sizes.max_tokens) * sizeof(int64_t)));
    block_tables_.push_back(ints(sizes.max_rows * table_stride_));
    shared_.push_back(ints(sizes.max_rows));
    batch_.groups[g] = {.slots = slots_[g].as<int64_t>(),
                        .block_table = block_tables_[g].as<int32_t>(),
                        .shared_blocks = shared_[g].as<int32_t>()};
  }
  wanted_rows_ = ints(kSlice);
  output_ = ints(kSlice * std::max(decoder.config().vocab_size, decoder.config().hidden_size));
  samples_.reserve(static_cast<size_t>(kSlice));
  if (sizes.profile) stream_->start_profile();
}

size_t ModelRunner::buffer_bytes() const {
  size_t bytes = token_ids_.size() + positions_.size() + query_start_.size() + context_len_.size() +
                 wanted_rows_.size() + output_.size();
  for (size_t g = 0; g < slots_.size(); ++g) {
    bytes += slots_[g].size() + block_tables_[g].size() + shared_[g].size();
  }
  return bytes;
}

size_t ModelRunner::bytes_for(const model::ModelConfig& config, const model::KvLayout& layout, int block_size,
                              const Sizes& sizes) {
  const int64_t stride = (sizes.max_model_len + block_size - 1) / block_size;
  const auto groups = static_cast<int64_t>(layout.groups.size());
  const int64_t ints = 2 * int64_t{sizes.max_tokens} + 2 * int64_t{sizes.max_rows} + 1 + kSlice +
                       kSlice * std::max(config.vocab_size, config.hidden_size) +
                       groups * sizes.max_rows * (stride + 1);
  return static_cast<size_t>(ints) * sizeof(int32_t) + static_cast<size_t>(groups * sizes.max_tokens) * sizeof(int64_t);
}

std::vector<LateDraw> ModelRunner::run(const scheduler::Plan& plan, const StepWants& wants,
                                       const std::function<void(const scheduler::Plan&)>& before) {
  move_blocks(plan);
  if (before) before(plan);
  std::vector<LateDraw> late;
  try {
    if (!plan.rows.empty()) forward(plan);
    run_logits(wants.logits, late);
    run_late(wants.late);
    run_hidden(wants.hidden);
    stream_->synchronize();
    return late;
  } catch (...) {
    const bool profiling = stream_->profiling();
    stream_ = device_.make_stream();  // what was enqueued must not run later
    if (profiling) stream_->start_profile();
    throw;
  }
}

void ModelRunner::move_blocks(const scheduler::Plan& plan) {
  stream_->region("block copies");
  storage_.swap_out(*stream_, plan.swap_outs);
  storage_.swap_in(*stream_, plan.swap_ins);
  storage_.copy(*stream_, plan.copies);
  // At once, so that what was swapped is safe whatever becomes of the rows.
  stream_->synchronize();
}

void ModelRunner::forward(const scheduler::Plan& plan) {
  fill_rows(plan);
  decoder_.forward(*stream_, batch_, storage_.pool());
}

void ModelRunner::fill_rows(const scheduler::Plan& plan) {
  auto* const token_ids = token_ids_.as<int32_t>();
  auto* const positions = positions_.as<int32_t>();
  auto* const query_start = query_start_.as<int32_t>();
  auto* const context_len = context_len_.as<int32_t>();
  int32_t token = 0;
  size_t seq = 0;
  const scheduler::Sequence* before = nullptr;
  batch_.max_context = 0;
  for (const scheduler::Row& row : plan.rows) {
    const scheduler::Sequence& sequence = *row.sequence;
    query_start[seq] = token;
    context_len[seq] = row.first + row.count;
    batch_.max_context = std::max<int64_t>(batch_.max_context, context_len[seq]);
    for (size_t g = 0; g < block_tables_.size(); ++g) {
      const cache::BlockTable& table = sequence.kv.tables[g];
      std::copy_n(table.data(), table.size(),
                  block_tables_[g].as<int32_t>() + static_cast<int64_t>(seq) * table_stride_);
      shared_[g].as<int32_t>()[seq] = before == nullptr ? 0 : common_blocks(before->kv.tables[g], table);
    }
    before = &sequence;
    for (int i = 0; i < row.count; ++i, ++token) {
      const int position = row.first + i;
      token_ids[token] = sequence.tokens[static_cast<size_t>(position)];
      positions[token] = position;
      for (size_t g = 0; g < slots_.size(); ++g) {
        slots_[g].as<int64_t>()[token] = kv_slot(sequence.kv, static_cast<int>(g), position, block_size_);
      }
    }
    ++seq;
  }
  query_start[seq] = token;
  batch_.tokens = token;
  batch_.num_seqs = static_cast<int>(seq);
}

void ModelRunner::run_logits(const std::vector<LogitsWant>& wants, std::vector<LateDraw>& late) {
  auto* const rows = wanted_rows_.as<int32_t>();
  auto* const logits = output_.as<float>();
  const auto width = static_cast<size_t>(decoder_.config().vocab_size);
  for (size_t begin = 0; begin < wants.size(); begin += kSlice) {
    const size_t count = std::min<size_t>(kSlice, wants.size() - begin);
    for (size_t i = 0; i < count; ++i) rows[i] = wants[begin + i].row;
    decoder_.logits(*stream_, rows, static_cast<int64_t>(count), logits);
    slice_.clear();
    const std::span<const LogitsWant> slice(&wants[begin], count);
    if (std::ranges::any_of(slice, [](const LogitsWant& want) { return want.sample.mask != nullptr; })) {
      stream_->synchronize();
      wait_briefly(slice);
    }
    for (size_t i = 0; i < count; ++i) {
      sampler::TokenMask* const mask = slice[i].sample.mask;
      const float* const row = logits + i * width;
      if (mask != nullptr && mask->await()) {
        late.push_back({slice[i], {row, row + width}});
      } else {
        // Those that are drawn now close up.
        if (slice_.size() != i) std::copy_n(row, width, logits + slice_.size() * width);
        slice_.push_back(&slice[i]);
      }
    }
    sample(slice_);
  }
}

void ModelRunner::run_late(const std::vector<LateDraw>& draws) {
  const auto width = static_cast<size_t>(decoder_.config().vocab_size);
  for (size_t begin = 0; begin < draws.size(); begin += kSlice) {
    const size_t count = std::min<size_t>(kSlice, draws.size() - begin);
    slice_.clear();
    for (size_t i = 0; i < count; ++i) {
      std::ranges::copy(draws[begin + i].logits, output_.as<float>() + i * width);
      slice_.push_back(&draws[begin + i].want);
    }
    sample(slice_);
  }
}

void ModelRunner::sample(const std::vector<const LogitsWant*>& wants) {
  samples_.clear();
  for (const LogitsWant* const want : wants) samples_.push_back(want->sample);
  stream_->region("sampling");
  sampler_.sample(*stream_, output_.as<float>(), samples_);
  stream_->synchronize();
  for (size_t i = 0; i < wants.size(); ++i) wants[i]->task->receive(*wants[i], sampler_, i);
}

void ModelRunner::run_hidden(const std::vector<HiddenWant>& wants) {
  auto* const rows = wanted_rows_.as<int32_t>();
  const auto width = static_cast<size_t>(decoder_.config().hidden_size);
  for (size_t begin = 0; begin < wants.size(); begin += kSlice) {
    const size_t count = std::min<size_t>(kSlice, wants.size() - begin);
    for (size_t i = 0; i < count; ++i) rows[i] = wants[begin + i].row;
    decoder_.final_hidden(*stream_, rows, static_cast<int64_t>(count), output_.as<float>());
    stream_->synchronize();
    for (size_t i = 0; i < count; ++i) {
      wants[begin + i].task->receive_hidden(std::span(output_.as<float>() + i * width, width));
    }
  }
}

}  // namespace caravel::engine
