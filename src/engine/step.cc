#include "engine/step.h"

namespace caravel::engine {

void StepInput::clear() {
  number = 0;
  swap_outs.clear();
  swap_ins.clear();
  copies.clear();
  entries.clear();
  rows.clear();
  tokens.clear();
  shared_blocks.clear();
  wants.clear();
  states.clear();
}

void DrawInput::clear() {
  number = 0;
  rules.clear();
  prompts.clear();
  begins.clear();
  keeps.clear();
  draws.clear();
  masks.clear();
}

void StepOutput::clear() {
  number = 0;
  wanted.clear();
  drawn.clear();
  top.clear();
  states.clear();
}

std::span<const std::pair<int32_t, float>> top_of(const TokenOutput& token, const StepOutput& output) {
  return std::span(output.top).subspan(static_cast<size_t>(token.top_begin), static_cast<size_t>(token.top_count));
}

TokenLogprob token_logprob(const TokenOutput& token, const StepOutput& output) {
  const auto top = top_of(token, output);
  return {.token = token.token, .logprob = token.logprob, .rank = token.rank, .top = {top.begin(), top.end()}};
}

}  // namespace caravel::engine
