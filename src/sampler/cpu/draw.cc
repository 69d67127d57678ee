#include "sampler/draw.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/philox.h"
#include "device/cpu/cpu_device.h"
#include "sampler/candidates.h"
#include "sampler/logit_edits.h"
#include "sampler/sampling_state.h"
#include "sampler/token_bits.h"

namespace caravel::sampler::cpu {
namespace {

constexpr int32_t kDeadEnd = -1;
constexpr uint32_t kXtcStream = 1U << 31;  // beyond every sequence's index: XTC's chance is not the draw's

/// The token drawn behind what `state` has; `argmax` of the unchanged logits. kDeadEnd: the mask leaves none.
int32_t draw_token(const SamplingState& state, const uint32_t* mask, std::span<float> logits, int32_t argmax,
                   LogitEdits& edits, Candidates& candidates) {
  const SamplingRules& rules = state.rules();
  edits.apply(state, logits);
  const bool greedy = rules.temperature == 0.0F;
  const bool may_be_best = mask == nullptr || allows(mask, argmax);
  if (greedy && edits.empty() && rules.allowed_token_ids.empty() && may_be_best) return argmax;
  candidates.gather(logits, rules.allowed_token_ids, mask, greedy ? 1 : rules.top_k);
  edits.revert(logits);
  if (candidates.empty() && mask != nullptr) return kDeadEnd;
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

/// Slots change as commands run; the host changes the tables' lengths alone, between commands.
class CpuDrawer final : public Drawer {
 public:
  CpuDrawer(int ranks, int64_t vocab_size) {
    for (int rank = 0; rank < ranks; ++rank) {
      workspaces_.push_back(std::make_unique<Workspace>(static_cast<size_t>(vocab_size)));
    }
  }

  void begin(Stream& stream, const DrawBegin& begin) override {
    const auto slot = static_cast<size_t>(begin.slot);
    if (slot >= states_.size()) states_.resize(slot + 1);
    const auto free = std::ranges::find_if(begun_, [](const auto& state) { return state == nullptr; });
    const size_t place = static_cast<size_t>(free - begun_.begin());
    if (free == begun_.end()) begun_.emplace_back();
    begun_[place] = std::make_unique<SamplingState>(begin.rules, begin.index, begin.prompt);
    // The ranks meet before the next draw, which is behind what has written its logits.
    as_cpu(stream).enqueue<BeginArgs>(take_begun, {this, slot, place}, false);
  }

  void draw(Stream& stream, const DrawArgs& args) override {
    as_cpu(stream).enqueue<DrawCpuArgs>(draw_rows, {this, args});
  }

 private:
  struct BeginArgs {
    CpuDrawer* self;
    size_t slot;
    size_t place;
  };
  struct DrawCpuArgs {
    CpuDrawer* self;
    DrawArgs draw;
  };

  static void take_begun(const BeginArgs& args, int rank, int /*size*/) {
    if (rank == 0) args.self->states_[args.slot] = std::move(args.self->begun_[args.place]);
  }

  static void draw_rows(const DrawCpuArgs& all, int rank, int size) {
    const DrawArgs& args = all.draw;
    Workspace& workspace = *all.self->workspaces_[static_cast<size_t>(rank)];
    const auto words = static_cast<int64_t>(words_of(static_cast<size_t>(args.vocab_size)));
    for (int64_t r = rank; r < args.count; r += size) {
      const SampleRow& row = args.rows[r];
      const std::span<float> logits(args.logits + r * args.vocab_size, static_cast<size_t>(args.vocab_size));
      int32_t token = row.token;
      args.dead_ends[r] = 0;
      if (row.sampler >= 0) {
        SamplingState& state = *all.self->states_[static_cast<size_t>(row.sampler)];
        const uint32_t* const mask = row.mask < 0 ? nullptr : args.masks + row.mask * words;
        token = draw_token(state, mask, logits, args.argmax[r], workspace.edits, workspace.candidates);
        if (token == kDeadEnd) {
          args.dead_ends[r] = 1;
          token = args.argmax[r];
        } else {
          state.append(token);
          args.last_draws[row.sampler] = token;
        }
      }
      args.tokens[r] = token;
      args.logprobs[r] = logits[static_cast<size_t>(token)] - args.log_sum_exp[r];
    }
  }

  std::vector<std::unique_ptr<Workspace>> workspaces_;  // by rank
  std::vector<std::unique_ptr<SamplingState>> states_;  // by slot
  std::vector<std::unique_ptr<SamplingState>> begun_;   // what commands that have not run bring into slots
};

}  // namespace

std::unique_ptr<Drawer> make_drawer(Device& device, int64_t vocab_size) {
  return std::make_unique<CpuDrawer>(as_cpu(device).pool().size(), vocab_size);
}

}  // namespace caravel::sampler::cpu
