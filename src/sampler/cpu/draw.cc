#include "sampler/draw.h"

#include <vector>

#include "base/philox.h"
#include "device/cpu/cpu_device.h"
#include "sampler/candidates.h"
#include "sampler/logit_edits.h"
#include "sampler/token_bits.h"

namespace caravel::sampler::cpu {
namespace {

constexpr int32_t kDeadEnd = -1;
constexpr uint32_t kXtcStream = 1U << 31;  // beyond every sequence's index: XTC's chance is not the draw's

/// The token drawn behind what the row's state has; `argmax` of the unchanged logits. kDeadEnd: the row's mask leaves
/// none.
int32_t draw(const SampleRow& row, std::span<float> logits, int32_t argmax, LogitEdits& edits, Candidates& candidates) {
  const SamplingState& state = *row.state;
  const SamplingRules& rules = state.rules();
  edits.apply(state, logits);
  const bool greedy = rules.temperature == 0.0F;
  const bool may_be_best = row.mask == nullptr || allows(row.mask, argmax);
  if (greedy && edits.empty() && rules.allowed_token_ids.empty() && may_be_best) return argmax;
  candidates.gather(logits, rules.allowed_token_ids, row.mask, greedy ? 1 : rules.top_k);
  edits.revert(logits);
  if (candidates.empty() && row.mask != nullptr) return kDeadEnd;
  // Where every token is forbidden, one that is at least allowed.
  if (candidates.empty()) return rules.allowed_token_ids.empty() ? argmax : rules.allowed_token_ids.front();
  if (greedy) return candidates.best();
  const auto chance = [&](uint32_t stream) {
    return uniform(rules.seed, state.index() | stream, state.tokens().size());
  };
  candidates.narrow(rules, chance(kXtcStream));
  return candidates.draw(chance(0));
}

/// What one rank needs for a row at a time.
struct Workspace {
  explicit Workspace(size_t vocab_size) : edits(vocab_size), candidates(vocab_size) {}
  LogitEdits edits;
  Candidates candidates;
};

struct DrawCpuArgs {
  DrawArgs draw;
  const std::unique_ptr<Workspace>* workspaces;  // by rank
};

void draw_rows(const DrawCpuArgs& all, int rank, int size) {
  const DrawArgs& args = all.draw;
  Workspace& workspace = *all.workspaces[rank];
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

class CpuDrawer final : public Drawer {
 public:
  CpuDrawer(int ranks, int64_t vocab_size) {
    for (int rank = 0; rank < ranks; ++rank) {
      workspaces_.push_back(std::make_unique<Workspace>(static_cast<size_t>(vocab_size)));
    }
  }

  void draw(Stream& stream, const DrawArgs& args) override {
    as_cpu(stream).enqueue<DrawCpuArgs>(draw_rows, {args, workspaces_.data()});
  }

 private:
  std::vector<std::unique_ptr<Workspace>> workspaces_;  // by rank
};

}  // namespace

std::unique_ptr<Drawer> make_drawer(Device& device, int64_t vocab_size) {
  return std::make_unique<CpuDrawer>(as_cpu(device).pool().size(), vocab_size);
}

}  // namespace caravel::sampler::cpu
