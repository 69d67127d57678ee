#include "engine/rank.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sampler/token_bits.h"

namespace caravel::engine {
namespace {

constexpr int64_t kSlice = model::Decoder::max_logit_rows();

}  // namespace

Rank::Rank(Device& device, std::unique_ptr<model::Decoder> decoder, const Blocks& blocks, const Sizes& sizes)
    : device_(device),
      stream_(device.make_stream()),
      decoder_(std::move(decoder)),
      storage_(device, decoder_->kv_layout(), blocks.size, blocks.dtype, blocks.device, blocks.host),
      sampler_(device, decoder_->config().vocab_size, kSlice, sizes.max_top),
      block_size_(blocks.size),
      table_stride_((sizes.max_model_len + block_size_ - 1) / block_size_) {
  const auto ints = [&](int64_t count) { return device.allocate(static_cast<size_t>(count) * sizeof(int32_t)); };
  token_ids_ = ints(sizes.max_tokens);
  positions_ = ints(sizes.max_tokens);
  query_start_ = ints(sizes.max_rows + 1);
  context_len_ = ints(sizes.max_rows);
  table_rows_ = ints(sizes.max_rows);
  batch_.token_ids = token_ids_.as<int32_t>();
  batch_.positions = positions_.as<int32_t>();
  batch_.query_start = query_start_.as<int32_t>();
  batch_.context_len = context_len_.as<int32_t>();
  batch_.table_rows = table_rows_.as<int32_t>();
  batch_.block_table_stride = table_stride_;
  const size_t groups = decoder_->kv_layout().groups.size();
  CARAVEL_CHECK_LE(groups, static_cast<size_t>(model::kMaxKvGroups));
  for (size_t g = 0; g < groups; ++g) {
    slots_.push_back(device.allocate(static_cast<size_t>(sizes.max_tokens) * sizeof(int64_t)));
    block_tables_.push_back(ints(sizes.slots * table_stride_));
    shared_.push_back(ints(sizes.max_rows));
    batch_.groups[g] = {.slots = slots_[g].as<int64_t>(),
                        .block_table = block_tables_[g].as<int32_t>(),
                        .shared_blocks = shared_[g].as<int32_t>()};
  }
  wanted_rows_ = ints(kSlice);
  output_ = ints(kSlice * std::max(decoder_->config().vocab_size, decoder_->config().hidden_size));
  samples_.reserve(static_cast<size_t>(kSlice));
  if (sizes.profile) stream_->start_profile();
}

size_t Rank::buffer_bytes() const {
  size_t bytes = decoder_->activation_bytes();
  for (const Buffer* buffer :
       {&token_ids_, &positions_, &query_start_, &context_len_, &table_rows_, &wanted_rows_, &output_}) {
    bytes += buffer->size();
  }
  for (size_t g = 0; g < slots_.size(); ++g) {
    bytes += slots_[g].size() + block_tables_[g].size() + shared_[g].size();
  }
  return bytes;
}

size_t Rank::bytes_for(const model::ModelConfig& config, const model::KvLayout& layout, int block_size,
                       const Sizes& sizes) {
  const int64_t stride = (sizes.max_model_len + block_size - 1) / block_size;
  const auto groups = static_cast<int64_t>(layout.groups.size());
  const int64_t ints = 2 * int64_t{sizes.max_tokens} + 3 * int64_t{sizes.max_rows} + 1 + kSlice +
                       kSlice * std::max(config.vocab_size, config.hidden_size) +
                       groups * (sizes.slots * stride + sizes.max_rows);
  return static_cast<size_t>(ints) * sizeof(int32_t) + static_cast<size_t>(groups * sizes.max_tokens) * sizeof(int64_t);
}

/// What is thrown takes along what was enqueued: it must not run later.
template <typename Work>
void Rank::guarded(const Work& work) {
  try {
    work();
  } catch (...) {
    const bool profiling = stream_->profiling();
    stream_ = device_.make_stream();
    if (profiling) stream_->start_profile();
    throw;
  }
}

void Rank::launch(const StepInput& input) {
  result_.clear();
  result_.number = input.number;
  move_blocks(input);
  take_entries(input);
  guarded([&] {
    if (!input.rows.empty()) {
      fill_rows(input);
      decoder_->forward(*stream_, batch_, storage_.pool());
    }
    run_wants(input);
    run_states(input);
  });
}

void Rank::move_blocks(const StepInput& input) {
  stream_->region("block copies");
  storage_.swap_out(*stream_, input.swap_outs);
  storage_.swap_in(*stream_, input.swap_ins);
  storage_.copy(*stream_, input.copies);
  // At once, so that what was swapped is safe whatever becomes of the rows.
  stream_->synchronize();
}

void Rank::take_entries(const StepInput& input) {
  for (const TableEntry& entry : input.entries) {
    auto* const table = block_tables_[static_cast<size_t>(entry.group)].as<int32_t>();
    table[entry.slot * table_stride_ + entry.index] = entry.block;
  }
}

void Rank::fill_rows(const StepInput& input) {
  auto* const token_ids = token_ids_.as<int32_t>();
  auto* const positions = positions_.as<int32_t>();
  auto* const query_start = query_start_.as<int32_t>();
  auto* const context_len = context_len_.as<int32_t>();
  const size_t rows = input.rows.size();
  int32_t token = 0;
  batch_.max_context = 0;
  for (size_t r = 0; r < rows; ++r) {
    const StepRow& row = input.rows[r];
    query_start[r] = token;
    context_len[r] = row.first + row.count;
    table_rows_.as<int32_t>()[r] = row.slot;
    batch_.max_context = std::max<int64_t>(batch_.max_context, context_len[r]);
    for (int position = row.first; position < row.first + row.count; ++position, ++token) {
      const int32_t id = input.tokens[static_cast<size_t>(token)];
      token_ids[token] = id >= 0 ? id : samplers_[static_cast<size_t>(last_draw_of(id))]->tokens().back();
      positions[token] = position;
      for (size_t g = 0; g < slots_.size(); ++g) {
        const int32_t block = block_tables_[g].as<int32_t>()[row.slot * table_stride_ + position / block_size_];
        slots_[g].as<int64_t>()[token] = int64_t{block} * block_size_ + position % block_size_;
      }
    }
  }
  query_start[rows] = token;
  for (size_t g = 0; g < shared_.size(); ++g) {
    std::copy_n(input.shared_blocks.data() + g * rows, rows, shared_[g].as<int32_t>());
  }
  batch_.tokens = token;
  batch_.num_seqs = static_cast<int>(rows);
}

void Rank::run_wants(const StepInput& input) {
  auto* const rows = wanted_rows_.as<int32_t>();
  for (size_t begin = 0; begin < input.wants.size(); begin += kSlice) {
    const size_t count = std::min<size_t>(kSlice, input.wants.size() - begin);
    samples_.clear();
    for (size_t i = 0; i < count; ++i) {
      const TokenWant& want = input.wants[begin + i];
      rows[i] = want.place;
      samples_.push_back({.token = want.token, .top = want.top});
    }
    decoder_->logits(*stream_, rows, static_cast<int64_t>(count), output_.as<float>());
    sample(result_.wanted);
  }
}

void Rank::run_states(const StepInput& input) {
  auto* const rows = wanted_rows_.as<int32_t>();
  const auto width = static_cast<size_t>(decoder_->config().hidden_size);
  for (size_t begin = 0; begin < input.states.size(); begin += kSlice) {
    const size_t count = std::min<size_t>(kSlice, input.states.size() - begin);
    std::copy_n(input.states.data() + begin, count, rows);
    decoder_->final_hidden(*stream_, rows, static_cast<int64_t>(count), output_.as<float>());
    stream_->synchronize();
    const float* const states = output_.as<float>();
    result_.states.insert(result_.states.end(), states, states + count * width);
  }
}

void Rank::launch(const DrawInput& input) {
  CARAVEL_CHECK_EQ(input.number, result_.number);
  guarded([&] {
    begin_samplers(input);
    keep_logits(input);
    run_draws(input);
  });
}

void Rank::begin_samplers(const DrawInput& input) {
  std::vector<std::shared_ptr<const sampler::SamplingRules>> rules;
  for (const sampler::SamplingRules& one : input.rules) {
    rules.push_back(std::make_shared<const sampler::SamplingRules>(one));
  }
  for (const SamplerBegin& begin : input.begins) {
    const auto slot = static_cast<size_t>(begin.slot);
    if (slot >= samplers_.size()) samplers_.resize(slot + 1);
    const std::span prompt(input.prompts.data() + begin.prompt_begin, static_cast<size_t>(begin.prompt_size));
    samplers_[slot].emplace(rules[static_cast<size_t>(begin.rules)], begin.index, prompt);
  }
}

void Rank::keep_logits(const DrawInput& input) {
  auto* const rows = wanted_rows_.as<int32_t>();
  const auto width = static_cast<size_t>(decoder_->config().vocab_size);
  for (size_t begin = 0; begin < input.keeps.size(); begin += kSlice) {
    const size_t count = std::min<size_t>(kSlice, input.keeps.size() - begin);
    for (size_t i = 0; i < count; ++i) rows[i] = input.keeps[begin + i].place;
    decoder_->logits(*stream_, rows, static_cast<int64_t>(count), output_.as<float>());
    stream_->synchronize();
    for (size_t i = 0; i < count; ++i) {
      const auto kept = static_cast<size_t>(input.keeps[begin + i].kept);
      if (kept >= kept_.size()) kept_.resize(kept + 1);
      const float* const logits = output_.as<float>() + i * width;
      kept_[kept].assign(logits, logits + width);
    }
  }
}

void Rank::run_draws(const DrawInput& input) {
  auto* const rows = wanted_rows_.as<int32_t>();
  const auto width = static_cast<size_t>(decoder_->config().vocab_size);
  const size_t mask_words = sampler::words_of(width);
  for (size_t begin = 0; begin < input.draws.size(); begin += kSlice) {
    const std::span draws = std::span(input.draws).subspan(begin, std::min<size_t>(kSlice, input.draws.size() - begin));
    samples_.clear();
    int64_t computed = 0;  // the step's own come before what was kept
    for (const Draw& draw : draws) {
      if (draw.place >= 0) {
        CARAVEL_CHECK_EQ(static_cast<size_t>(computed), samples_.size());
        rows[computed++] = draw.place;
      } else {
        std::vector<float>& kept = kept_[static_cast<size_t>(kept_logits(draw.place))];
        std::ranges::copy(kept, output_.as<float>() + samples_.size() * width);
        std::vector<float>().swap(kept);
      }
      samples_.push_back({.state = &*samplers_[static_cast<size_t>(draw.sampler)],
                          .mask = draw.mask < 0 ? nullptr : &input.masks[static_cast<size_t>(draw.mask) * mask_words],
                          .top = draw.top});
    }
    if (computed > 0) decoder_->logits(*stream_, rows, computed, output_.as<float>());
    sample(result_.drawn);
    for (size_t i = 0; i < draws.size(); ++i) {
      const TokenOutput& drawn = result_.drawn[begin + i];
      if (!drawn.dead_end) samplers_[static_cast<size_t>(draws[i].sampler)]->append(drawn.token);
    }
  }
}

void Rank::sample(std::vector<TokenOutput>& results) {
  stream_->region("sampling");
  sampler_.sample(*stream_, output_.as<float>(), samples_);
  stream_->synchronize();
  for (size_t i = 0; i < samples_.size(); ++i) {
    const int top = samples_[i].top;
    TokenOutput& result = results.emplace_back();
    result.token = sampler_.token(i);
    result.logprob = sampler_.logprob(i);
    result.dead_end = sampler_.dead_end(i);
    if (top < 0) continue;
    result.rank = sampler_.rank(i);
    result.top_begin = static_cast<int32_t>(result_.top.size());
    result.top_count = top;
    const std::span<const int32_t> tokens = sampler_.top_tokens(i, top);
    for (int k = 0; k < top; ++k) {
      result_.top.emplace_back(tokens[static_cast<size_t>(k)], sampler_.top_logprob(i, k));
    }
  }
}

const StepOutput& Rank::collect() {
  guarded([&] { stream_->synchronize(); });
  return result_;
}

}  // namespace caravel::engine
