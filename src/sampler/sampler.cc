#include "sampler/sampler.h"

#include <algorithm>

#include "base/check.h"
#include "base/philox.h"
#include "device/cpu/cpu_device.h"
#include "kernels/logits.h"
#include "sampler/candidates.h"
#include "sampler/logit_edits.h"

namespace caravel::sampler {

struct Sampler::Workspace {
  explicit Workspace(size_t vocab_size) : edits(vocab_size), candidates(vocab_size) {}
  LogitEdits edits;
  Candidates candidates;
};

struct Sampler::DrawArgs {
  const SampleRow* rows;
  int64_t count;
  int64_t vocab_size;
  float* logits;             // [count, vocab_size]
  const float* log_sum_exp;  // [count]
  const int32_t* argmax;     // [count]
  int32_t* tokens;           // out: [count]
  int32_t* dead_ends;        // out: [count]
  float* logprobs;           // out: [count]
  const std::unique_ptr<Workspace>* workspaces;
};

namespace {

constexpr int32_t kDeadEnd = -1;
constexpr uint32_t kXtcStream = 1U << 31;  // beyond every sequence's index: XTC's chance is not the draw's

/// The token drawn at the end of `row.tokens`; `argmax` of the unchanged logits. kDeadEnd: the row's mask leaves none.
int32_t draw(const SampleRow& row, std::span<float> logits, int32_t argmax, LogitEdits& edits, Candidates& candidates) {
  const SamplingState& state = *row.state;
  const SamplingParams& params = state.rules().params;
  edits.apply(state, row.tokens, logits);
  const bool greedy = params.temperature == 0.0F;
  const bool may_be_best = row.mask == nullptr || row.mask->allows(argmax);
  if (greedy && edits.empty() && params.allowed_token_ids.empty() && may_be_best) return argmax;
  candidates.gather(logits, params.allowed_token_ids, row.mask, greedy ? 1 : *params.top_k);
  edits.revert(logits);
  if (candidates.empty() && row.mask != nullptr) return kDeadEnd;
  // Where every token is forbidden, one that is at least allowed.
  if (candidates.empty()) return params.allowed_token_ids.empty() ? argmax : params.allowed_token_ids.front();
  if (greedy) return candidates.best();
  const auto chance = [&](uint32_t stream) {
    return uniform(state.rules().seed, state.index() | stream, row.tokens.size());
  };
  candidates.narrow(params, chance(kXtcStream));
  return candidates.draw(chance(0));
}

}  // namespace

Sampler::Sampler(Device& device, int64_t vocab_size, int64_t max_rows, int max_top)
    : vocab_size_(vocab_size),
      max_rows_(max_rows),
      max_top_(static_cast<int>(std::min<int64_t>(max_top, vocab_size))),
      top_begin_(static_cast<size_t>(max_rows)) {
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
  CARAVEL_CHECK(device.kind() == DeviceKind::kCpu);
  const int ranks = static_cast<CpuDevice&>(device).pool().size();
  for (int rank = 0; rank < ranks; ++rank) {
    workspaces_.push_back(std::make_unique<Workspace>(static_cast<size_t>(vocab_size)));
  }
}

Sampler::~Sampler() = default;

void Sampler::draw_rows(const DrawArgs& args, int rank, int size) {
  Workspace& workspace = *args.workspaces[rank];
  for (int64_t r = rank; r < args.count; r += size) {
    const SampleRow& row = args.rows[r];
    const std::span<float> logits(args.logits + r * args.vocab_size, static_cast<size_t>(args.vocab_size));
    int32_t token =
        row.state == nullptr ? row.token : draw(row, logits, args.argmax[r], workspace.edits, workspace.candidates);
    args.dead_ends[r] = token == kDeadEnd ? 1 : 0;
    if (token == kDeadEnd) token = args.argmax[r];
    args.tokens[r] = token;
    args.logprobs[r] = logits[static_cast<size_t>(token)] - args.log_sum_exp[r];
  }
}

void Sampler::sample(Stream& stream, float* logits, std::span<const SampleRow> rows) {
  const auto count = static_cast<int64_t>(rows.size());
  CARAVEL_CHECK_LE(count, max_rows_);
  if (count == 0) return;
  kernels::log_sum_exp(stream, {.logits = logits,
                                .stride = vocab_size_,
                                .rows = count,
                                .width = vocab_size_,
                                .log_sum_exp = log_sum_exp_,
                                .argmax = argmax_});
  as_cpu(stream).enqueue<DrawArgs>(draw_rows, {.rows = rows.data(),
                                               .count = count,
                                               .vocab_size = vocab_size_,
                                               .logits = logits,
                                               .log_sum_exp = log_sum_exp_,
                                               .argmax = argmax_,
                                               .tokens = tokens_,
                                               .dead_ends = dead_ends_,
                                               .logprobs = logprobs_,
                                               .workspaces = workspaces_.data()});
  // Neighbours that want the same go in one call; their top tokens then lie close-packed.
  for (int64_t begin = 0; begin < count;) {
    const int top = rows[static_cast<size_t>(begin)].top;
    CARAVEL_CHECK_LE(top, max_top_);
    int64_t end = begin + 1;
    while (end < count && rows[static_cast<size_t>(end)].top == top) ++end;
    const float* const run = logits + begin * vocab_size_;
    if (top >= 0) {
      kernels::token_rank(stream, {.logits = run,
                                   .stride = vocab_size_,
                                   .rows = end - begin,
                                   .width = vocab_size_,
                                   .tokens = tokens_ + begin,
                                   .ranks = ranks_ + begin});
    }
    if (top > 0) {
      kernels::top_k(stream, {.logits = run,
                              .stride = vocab_size_,
                              .rows = end - begin,
                              .width = vocab_size_,
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

TokenLogprob Sampler::token_logprob(size_t row, int top) const {
  TokenLogprob result{.token = token(row), .logprob = logprob(row), .rank = rank(row), .top = {}};
  result.top.reserve(static_cast<size_t>(top));
  const auto tokens = top_tokens(row, top);
  for (int i = 0; i < top; ++i) result.top.emplace_back(tokens[static_cast<size_t>(i)], top_logprob(row, i));
  return result;
}

}  // namespace caravel::sampler
