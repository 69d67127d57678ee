#include "engine/rank.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sampler/token_bits.h"

namespace caravel::engine {
namespace {

/// Logits that a step has room for: those of all its sequences, if they are not too many.
int64_t logit_rows(const Device& device, const Rank::Sizes& sizes) {
  constexpr int64_t kLeast = 64;  // a prompt's tokens may have them too
  return std::clamp<int64_t>(sizes.max_rows, kLeast, model::Decoder::max_logit_rows(device));
}

/// Whether enough of what rows of one token see is common to neighbours, in a KV group. A device with memory of its own
/// shares its processors out differently for them, by which rows that have nothing in common lose.
bool worth_sharing(const StepInput& input, int block_size, size_t group) {
  const int32_t* const blocks = input.shared_blocks.data() + group * input.rows.size();
  int64_t all = 0;
  int64_t shared = 0;
  for (size_t r = 0; r < input.rows.size(); ++r) {
    const StepRow& row = input.rows[r];
    if (row.count != 1) continue;
    all += row.first;
    shared += std::min<int64_t>(row.first, int64_t{blocks[r]} * block_size);
  }
  return 4 * shared > all;
}

/// Whether the step may write to a block that it swaps out: nobody has that any longer, so it is told of anew where
/// rows get it.
bool rewrites_swapped(const StepInput& input) {
  std::vector<int32_t> out;
  for (const BlockCopy& copy : input.swap_outs) out.push_back(copy.from);
  std::ranges::sort(out);
  const auto is_out = [&](int32_t block) { return std::ranges::binary_search(out, block); };
  return std::ranges::any_of(input.entries, is_out, &TableEntry::block) ||
         std::ranges::any_of(input.copies, is_out, &BlockCopy::to);
}

template <typename T>
size_t bytes_of(const std::vector<T>& values) {
  return MirroredArrays::bytes_of<T>(values.size());
}

}  // namespace

Rank::Rank(Device& device, std::unique_ptr<model::Decoder> decoder, const Blocks& blocks, const Sizes& sizes)
    : device_(device),
      decoder_(std::move(decoder)),
      storage_(device, decoder_->kv_layout(), blocks.size, blocks.dtype, blocks.device, blocks.host),
      sampler_(device, decoder_->config().vocab_size),
      sizes_(sizes),
      logit_rows_(logit_rows(device, sizes)),
      stream_(device.make_stream()),
      swap_stream_(device.make_stream()) {
  CARAVEL_CHECK_GE(sizes.steps, 1);
  for (int i = 0; i < sizes.steps; ++i) steps_.emplace_back(device);
  const auto ints = [&](int64_t count) { return device.allocate(static_cast<size_t>(count) * sizeof(int32_t)); };
  const auto groups = static_cast<int>(decoder_->kv_layout().groups.size());
  CARAVEL_CHECK_LE(groups, model::kMaxKvGroups);
  const int64_t stride = (sizes.max_model_len + blocks.size - 1) / blocks.size;
  token_ids_ = ints(sizes.max_tokens);
  positions_ = ints(sizes.max_tokens);
  query_start_ = ints(sizes.max_rows + 1);
  context_len_ = ints(sizes.max_rows);
  table_rows_ = ints(sizes.max_rows);
  slots_ = ints(2 * int64_t{groups} * sizes.max_tokens);
  block_tables_ = ints(groups * (sizes.slots * stride));
  shared_ = ints(int64_t{groups} * sizes.max_rows);
  tables_ = {.blocks = block_tables_.address<int32_t>(),
             .groups = groups,
             .slots = sizes.slots,
             .stride = stride,
             .block_size = blocks.size};
  batch_.token_ids = token_ids_.address<int32_t>();
  batch_.positions = positions_.address<int32_t>();
  batch_.query_start = query_start_.address<int32_t>();
  batch_.context_len = context_len_.address<int32_t>();
  batch_.table_rows = table_rows_.address<int32_t>();
  batch_.block_table_stride = stride;
  for (int g = 0; g < groups; ++g) {
    batch_.groups[g] = {.slots = slots_.address<int64_t>() + int64_t{g} * sizes.max_tokens,
                        .block_table = tables_.blocks + g * (sizes.slots * stride)};
  }
  decodes_.resize(static_cast<size_t>(sizes.max_rows) + 1);
  logits_ = ints(logit_rows_ * decoder_->config().vocab_size);
  stream_->start_profile(sizes.profile);
}

size_t Rank::buffer_bytes() const {
  size_t bytes = decoder_->activation_bytes();
  for (const Buffer* buffer : {&token_ids_, &positions_, &query_start_, &context_len_, &table_rows_, &slots_,
                               &block_tables_, &shared_, &logits_}) {
    bytes += buffer->size();
  }
  return bytes;
}

size_t Rank::bytes_for(const Device& device, const model::ModelConfig& config, const model::KvLayout& layout,
                       int block_size, const Sizes& sizes) {
  const int64_t stride = (sizes.max_model_len + block_size - 1) / block_size;
  const auto groups = static_cast<int64_t>(layout.groups.size());
  const int64_t ints = 2 * int64_t{sizes.max_tokens} + 3 * int64_t{sizes.max_rows} + 1 +
                       logit_rows(device, sizes) * config.vocab_size +
                       groups * (2 * int64_t{sizes.max_tokens} + sizes.slots * stride + sizes.max_rows);
  return static_cast<size_t>(ints) * sizeof(int32_t);
}

template <typename Slice>
void Rank::in_slices(size_t total, const Slice& slice) const {
  const auto most = static_cast<size_t>(logit_rows_);
  for (size_t begin = 0; begin < total; begin += most) slice(begin, std::min(most, total - begin));
}

/// Where something is thrown, what was enqueued runs to its end: it reads memory that the next step takes.
template <typename Work>
void Rank::guarded(const Work& work) {
  try {
    work();
  } catch (...) {
    stream_->synchronize();
    swap_stream_->synchronize();
    throw;
  }
}

void Rank::launch(const StepInput& input) {
  CARAVEL_CHECK_LT(launched_ - collected_, steps_.size());
  InFlight& step = steps_[launched_ % steps_.size()];
  step.number = input.number;
  step.wanted.begin({});
  step.drawn.begin({});
  step.states_out = {};
  step.used.clear();
  guarded([&] {
    stream_->begin_step();
    swap_blocks(input, step);
    move_blocks(input, step);
    run_rows(input, step);
    stream_->end_step();
    stream_->record(*step.rows_done);
    stream_->record(*step.done);
  });
  ++launched_;
}

void Rank::move_blocks(const StepInput& input, InFlight& step) {
  step.moves.begin(bytes_of(input.copies));
  const StagedCopies copies{step.moves.add(std::span(input.copies)), static_cast<int64_t>(input.copies.size())};
  stream_->region("block copies");
  step.moves.to_device(*stream_);
  storage_.copy(*stream_, copies);
}

/// Blocks come in while steps before still run: none of these uses a block that was free, or the host's that it comes
/// from. What goes out was written by them.
void Rank::swap_blocks(const StepInput& input, InFlight& step) {
  step.swaps = !input.swap_outs.empty() || !input.swap_ins.empty();
  if (!step.swaps) return;
  stream_->region("block copies");
  if (!input.swap_outs.empty()) {
    stream_->record(*step.before_swaps);
    swap_stream_->wait(*step.before_swaps);
  }
  storage_.swap_out(*swap_stream_, input.swap_outs);
  storage_.swap_in(*swap_stream_, input.swap_ins);
  swap_stream_->record(*step.swapped);
  if (!input.swap_ins.empty() || rewrites_swapped(input)) wait_for_swaps(step);
}

void Rank::wait_for_swaps(InFlight& step) {
  if (step.swaps) stream_->wait(*step.swapped);
  step.swaps = false;
}

void Rank::run_rows(const StepInput& input, InFlight& step) {
  if (input.rows.empty()) return;
  const size_t wants = input.wants.size();
  MirroredArrays& arrays = step.rows;
  arrays.begin(bytes_of(input.entries) + bytes_of(input.rows) + bytes_of(input.tokens) + bytes_of(input.shared_blocks) +
               bytes_of(input.states) + MirroredArrays::bytes_of<int32_t>(wants) +
               MirroredArrays::bytes_of<sampler::SampleRow>(wants));
  const kernels::TableEntriesArgs entries{.entries = arrays.add(std::span(input.entries)),
                                          .count = static_cast<int64_t>(input.entries.size()),
                                          .tables = tables_};
  const kernels::StepRowsArgs rows{.rows = arrays.add(std::span(input.rows)),
                                   .tokens = arrays.add(std::span(input.tokens)),
                                   .shared = arrays.add(std::span(input.shared_blocks)),
                                   .last_draws = sampler_.last_draws().data(),
                                   .num_rows = static_cast<int>(input.rows.size()),
                                   .tables = tables_,
                                   .max_tokens = sizes_.max_tokens,
                                   .max_rows = sizes_.max_rows,
                                   .token_ids = token_ids_.address<int32_t>(),
                                   .positions = positions_.address<int32_t>(),
                                   .slots = slots_.address<int64_t>(),
                                   .query_start = query_start_.address<int32_t>(),
                                   .context_len = context_len_.address<int32_t>(),
                                   .table_rows = table_rows_.address<int32_t>(),
                                   .shared_blocks = shared_.address<int32_t>()};
  const int32_t* const states = arrays.add(std::span(input.states));
  const auto places = arrays.add<int32_t>(wants);
  const auto samples = arrays.add<sampler::SampleRow>(wants);
  for (size_t i = 0; i < wants; ++i) {
    places.host[i] = input.wants[i].place;
    samples.host[i] = {.token = input.wants[i].token, .top = input.wants[i].top};
  }
  batch_.tokens = static_cast<int64_t>(input.tokens.size());
  batch_.num_seqs = static_cast<int>(input.rows.size());
  batch_.max_context = 0;
  for (const StepRow& row : input.rows) {
    batch_.max_context = std::max<int64_t>(batch_.max_context, row.first + row.count);
  }
  tell_shared(input);
  stream_->region("rows");
  arrays.to_device(*stream_);
  if (entries.count > 0) kernels::write_table_entries(*stream_, entries);
  kernels::step_rows(*stream_, rows);
  forward();
  if (!decoder_->has_lm_head()) return;
  run_wants(samples.host, samples.device, places.device, step);
  run_states(input.states.size(), states, step);
}

void Rank::tell_shared(const StepInput& input) {
  const auto groups = static_cast<size_t>(tables_.groups);
  bool told = device_.unified();
  for (size_t g = 0; g < groups && !told; ++g) {
    told = worth_sharing(input, tables_.block_size, g);
  }
  for (size_t g = 0; g < groups; ++g) {
    batch_.groups[g].shared_blocks =
        told ? shared_.address<int32_t>() + static_cast<int64_t>(g) * sizes_.max_rows : nullptr;
  }
}

void Rank::forward() {
  const auto pass = [this] { decoder_->forward(*stream_, batch_, storage_.pool()); };
  // Where commands are the host's own to run, as on a CPU, a list of them spares nothing.
  const bool decodes = batch_.tokens == batch_.num_seqs;
  if (!decodes || device_.unified() || stream_->profiling() == Profile::kRegions || decoder_->streams_layers())
    return pass();
  std::unique_ptr<CommandList>& list = decodes_[static_cast<size_t>(batch_.tokens)][batch_.shares() ? 1 : 0];
  if (list == nullptr) {
    stream_->begin_capture();
    try {
      pass();
    } catch (...) {
      stream_->end_capture();
      throw;
    }
    list = stream_->end_capture();
  }
  stream_->run(*list);
}

void Rank::run_wants(std::span<const sampler::SampleRow> wants, const sampler::SampleRow* staged, const int32_t* places,
                     InFlight& step) {
  if (wants.empty()) return;
  step.wanted.begin(wants);
  in_slices(wants.size(), [&](size_t begin, size_t count) {
    decoder_->logits(*stream_, places + begin, static_cast<int64_t>(count), logits_.address<float>());
    stream_->region("sampling");
    sampler_.sample(*stream_, {.logits = logits_.address<float>(),
                               .rows = wants.subspan(begin, count),
                               .staged = staged + begin,
                               .results = &step.wanted,
                               .first = begin});
  });
  step.wanted.to_host(*stream_);
}

void Rank::run_states(size_t count, const int32_t* places, InFlight& step) {
  if (count == 0) return;
  const auto width = static_cast<size_t>(decoder_->config().hidden_size);
  step.states.begin(MirroredArrays::bytes_of<float>(count * width));
  const auto states = step.states.add<float>(count * width);
  in_slices(count, [&](size_t begin, size_t rows) {
    decoder_->final_hidden(*stream_, places + begin, static_cast<int64_t>(rows), states.device + begin * width);
  });
  step.states.to_host(*stream_);
  step.states_out = states.host;
}

void Rank::launch(const DrawInput& input) {
  InFlight& step = last_step();
  CARAVEL_CHECK_EQ(input.number, step.number);
  --launched_;  // where this throws, the step is not collected
  guarded([&] {
    stream_->begin_step();
    begin_samplers(input);
    if (decoder_->has_lm_head()) run_draws(input, step);
    decoder_->return_draws(*stream_, sampler_.last_draws());
    wait_for_swaps(step);  // the step after may have the blocks
    stream_->end_step();
    stream_->record(*step.done);
  });
  ++launched_;
}

void Rank::begin_samplers(const DrawInput& input) {
  std::vector<std::shared_ptr<const sampler::SamplingRules>> rules;
  for (const sampler::SamplingRules& one : input.rules) {
    rules.push_back(std::make_shared<const sampler::SamplingRules>(one));
  }
  for (const SamplerBegin& begin : input.begins) {
    sampler_.begin(*stream_, {.slot = begin.slot,
                              .rules = rules[static_cast<size_t>(begin.rules)],
                              .index = begin.index,
                              .prompt = std::span(input.prompts.data() + begin.prompt_begin,
                                                  static_cast<size_t>(begin.prompt_size))});
  }
}

void Rank::keep_logits(std::span<const KeepLogits> keeps, const int32_t* places, InFlight& step) {
  const auto width = static_cast<size_t>(decoder_->config().vocab_size);
  in_slices(keeps.size(), [&](size_t begin, size_t count) {
    decoder_->logits(*stream_, places + begin, static_cast<int64_t>(count), logits_.address<float>());
    for (size_t i = 0; i < count; ++i) {
      const auto kept = static_cast<size_t>(keeps[begin + i].kept);
      if (kept >= kept_.size()) kept_.resize(kept + 1);
      step.used.push_back(std::exchange(kept_[kept], device_.allocate(width * sizeof(float))));
      stream_->copy(kept_[kept].address(), logits_.address<float>() + i * width, kept_[kept].size());
    }
  });
}

void Rank::run_draws(const DrawInput& input, InFlight& step) {
  const size_t draws = input.draws.size();
  MirroredArrays& arrays = step.draws;
  arrays.begin(bytes_of(input.masks) + MirroredArrays::bytes_of<int32_t>(draws) +
               MirroredArrays::bytes_of<int32_t>(input.keeps.size()) +
               MirroredArrays::bytes_of<sampler::SampleRow>(draws));
  const uint32_t* const masks = arrays.add(std::span(input.masks));
  const auto keep_places = arrays.add<int32_t>(input.keeps.size());
  std::ranges::transform(input.keeps, keep_places.host.begin(), &KeepLogits::place);
  const auto places = arrays.add<int32_t>(draws);
  const auto samples = arrays.add<sampler::SampleRow>(draws);
  for (size_t i = 0; i < draws; ++i) {
    const Draw& draw = input.draws[i];
    places.host[i] = draw.place;
    samples.host[i] = {.sampler = draw.sampler, .mask = draw.mask, .top = draw.top};
  }
  stream_->region("sampling");
  arrays.to_device(*stream_);
  keep_logits(input.keeps, keep_places.device, step);
  step.drawn.begin(samples.host);
  const auto width = static_cast<size_t>(decoder_->config().vocab_size);
  in_slices(draws, [&](size_t begin, size_t count) {
    auto* const logits = logits_.address<float>();
    size_t computed = 0;  // the step's own come before what was kept
    for (size_t i = 0; i < count; ++i) {
      const int32_t place = input.draws[begin + i].place;
      if (place >= 0) {
        CARAVEL_CHECK_EQ(computed, i);
        ++computed;
        continue;
      }
      Buffer& kept = step.used.emplace_back(std::move(kept_[static_cast<size_t>(kept_logits(place))]));
      stream_->copy(logits + i * width, kept.address(), kept.size());
    }
    if (computed > 0) decoder_->logits(*stream_, places.device + begin, static_cast<int64_t>(computed), logits);
    stream_->region("sampling");
    sampler_.sample(*stream_, {.logits = logits,
                               .rows = samples.host.subspan(begin, count),
                               .staged = samples.device + begin,
                               .masks = masks,
                               .results = &step.drawn,
                               .first = begin});
  });
  step.drawn.to_host(*stream_);
}

const StepOutput& Rank::collect() {
  CARAVEL_CHECK_LT(collected_, launched_);
  InFlight& step = steps_[collected_ % steps_.size()];
  try {
    step.done->wait();
  } catch (...) {
    collected_ = launched_;
    throw;
  }
  result_.clear();
  result_.number = step.number;
  append_results(step.wanted, result_.wanted);
  append_results(step.drawn, result_.drawn);
  result_.states.assign(step.states_out.begin(), step.states_out.end());
  step.used.clear();
  ++collected_;
  return result_;
}

void Rank::append_results(const sampler::SampleResults& results, std::vector<TokenOutput>& outputs) {
  for (size_t i = 0; i < results.size(); ++i) {
    TokenOutput& output = outputs.emplace_back();
    output.token = results.token(i);
    output.logprob = results.logprob(i);
    output.dead_end = results.dead_end(i);
    if (!results.ranked(i)) continue;
    output.rank = results.rank(i);
    const std::span<const int32_t> top = results.top_tokens(i);
    output.top_begin = static_cast<int32_t>(result_.top.size());
    output.top_count = static_cast<int32_t>(top.size());
    for (size_t k = 0; k < top.size(); ++k) result_.top.emplace_back(top[k], results.top_logprob(i, k));
  }
}

}  // namespace caravel::engine
