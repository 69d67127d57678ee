#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/block_copy.h"
#include "caravel/result.h"
#include "kernels/step_rows.h"
#include "sampler/sampling_rules.h"

namespace caravel::engine {

// A step as values: what is to be computed, what is to be drawn of it, and what came out. There is no pointer in any of
// them, so that they may be sent to where the step is carried out. In order, for each step: launch(StepInput),
// launch(DrawInput), collect().

using kernels::last_draw_of;
using kernels::StepRow;
using kernels::TableEntry;

/// How likely a given token is after one of the step's, and the most likely ones.
struct TokenWant {
  int32_t place = 0;  // in StepInput::tokens
  int32_t token = 0;
  int32_t top = 0;  // how many of the most likely
};

/// What is computed. As if in this order: swap_outs, swap_ins, copies, entries, then the rows. A block that is swapped
/// out is nobody's from then on: a row that gets it has it in `entries`. One that is swapped in, and the host's that it
/// comes from, are used by no step in flight.
struct StepInput {
  uint64_t number = 0;               // 1, 2, ...
  std::vector<BlockCopy> swap_outs;  // device block -> host block
  std::vector<BlockCopy> swap_ins;   // host block -> device block
  std::vector<BlockCopy> copies;     // device block -> device block; no block is both read and written
  std::vector<TableEntry> entries;
  std::vector<StepRow> rows;           // one a sequence
  std::vector<int32_t> tokens;         // of the rows, one after the other: ids, or last_draw_of()
  std::vector<int32_t> shared_blocks;  // [groups, rows]: how many blocks, from the first on, a row has in common with
                                       // the one before
  std::vector<TokenWant> wants;
  std::vector<int32_t> states;  // places whose state after the final norm is wanted

  void clear();
};

/// A sampler's slot begins anew: for the `index`-th answer to a prompt.
struct SamplerBegin {
  int32_t slot = 0;
  int32_t rules = 0;  // in DrawInput::rules
  uint32_t index = 0;
  int32_t prompt_begin = 0;  // in DrawInput::prompts
  int32_t prompt_size = 0;
};

/// A token to be drawn by a slot, which takes it up.
struct Draw {
  int32_t place = 0;    // the token of the step that it comes after, or kept_logits()
  int32_t sampler = 0;  // slot
  int32_t mask = -1;    // in DrawInput::masks; -1: every token may be drawn
  int32_t top = -1;     // -1: the token alone; 0: its log-probability and rank too; K: and of the K most likely
};

/// A place in Draw: logits of a step before, which were kept.
constexpr int32_t kept_logits(int32_t kept) { return ~kept; }

/// The logits after a token of the step are wanted in a later one.
struct KeepLogits {
  int32_t place = 0;
  int32_t kept = 0;  // where; until it is named anew
};

/// What is drawn, once the step is computed: apart, since masks may be made meanwhile.
struct DrawInput {
  uint64_t number = 0;  // the step's
  std::vector<sampler::SamplingRules> rules;
  std::vector<int32_t> prompts;
  std::vector<SamplerBegin> begins;
  std::vector<KeepLogits> keeps;
  std::vector<Draw> draws;
  std::vector<uint32_t> masks;  // [masks, words of the vocabulary]: bit token % 32 of word token / 32

  void clear();
};

/// What is told of a token.
struct TokenOutput {
  int32_t token = 0;
  float logprob = 0;      // natural logarithm
  int32_t rank = 0;       // 1 for the most likely one; 0 where it was not asked for
  int32_t top_begin = 0;  // in StepOutput::top
  int32_t top_count = 0;
  bool dead_end = false;  // the mask leaves no token that may be drawn: `token` is none
};

/// What came out, in the order in which it was wanted.
struct StepOutput {
  uint64_t number = 0;
  std::vector<TokenOutput> wanted;             // [StepInput::wants]
  std::vector<TokenOutput> drawn;              // [DrawInput::draws]
  std::vector<std::pair<int32_t, float>> top;  // of either, most likely first: token and log-probability
  std::vector<float> states;                   // [StepInput::states, hidden_size]

  void clear();
};

/// The most likely ones at a token of the output: id and log-probability, most likely first.
std::span<const std::pair<int32_t, float>> top_of(const TokenOutput& token, const StepOutput& output);
/// As a caller gets it.
TokenLogprob token_logprob(const TokenOutput& token, const StepOutput& output);

}  // namespace caravel::engine
