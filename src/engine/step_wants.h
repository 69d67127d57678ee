#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/sampler_slots.h"
#include "engine/step.h"
#include "grammar/token_mask.h"

namespace caravel::engine {

class Task;

/// What a want is about, in its task's own terms; comes back with what it gave.
struct About {
  int32_t part = 0;      // of the request: which answer, beam or continuation
  int32_t position = 0;  // of the token
};

/// Whose a want is.
struct Wanted {
  Task* task = nullptr;
  About about;
};

/// A draw as it is planned: its mask may not be ready.
struct PlannedDraw {
  Wanted wanted;
  Draw draw;
  grammar::TokenMask* mask = nullptr;  // the only tokens that may be drawn; nullptr: all
};

/// What the tasks of one step want of it, beside keys and values: written into the step's input, with whose it is
/// beside it.
class StepWants {
 public:
  StepWants(StepInput& input, DrawInput& draws, SlotNumbers& samplers)
      : input_(input), draws_(draws), samplers_(samplers) {}

  /// How likely `want.token` is behind its place.
  void token(const Wanted& wanted, const TokenWant& want) {
    input_.wants.push_back(want);
    tokens_.push_back(wanted);
  }
  /// The state at a place.
  void state(const Wanted& wanted, int32_t place) {
    input_.states.push_back(place);
    states_.push_back(wanted);
  }
  /// A token behind a place by a sampler, which begins with `prompt` where it has not begun.
  void draw(const Wanted& wanted, int32_t place, SamplerSlot& sampler, std::span<const int32_t> prompt,
            grammar::TokenMask* mask, int top);

  std::span<const PlannedDraw> draws() const { return planned_; }
  /// Whose StepInput::wants and ::states are, in their order.
  void hand_over(std::vector<Wanted>& tokens, std::vector<Wanted>& states) {
    tokens.swap(tokens_);
    states.swap(states_);
  }
  /// For the next step.
  void clear();

 private:
  StepInput& input_;
  DrawInput& draws_;
  SlotNumbers& samplers_;
  std::vector<Wanted> tokens_;
  std::vector<Wanted> states_;
  std::vector<PlannedDraw> planned_;
  // What the last sampler of the step began with: those of one request begin alike.
  const sampler::SamplingRules* rules_ = nullptr;
  std::span<const int32_t> prompt_;
};

}  // namespace caravel::engine
