#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "caravel/request.h"
#include "engine/checked_request.h"
#include "engine/loaded_model.h"
#include "grammar/compiler.h"
#include "grammar/constraint.h"

namespace caravel::engine {

/// What a draw's `top` may be at most.
inline constexpr int kMaxTop = 512;

/// What requests are checked against.
struct RequestLimits {
  int max_model_len = 0;
  int max_num_seqs = 0;
};

/// What constrained answers need.
struct Grammars {
  /// For the model's vocabulary. `model` must outlive it.
  explicit Grammars(const LoadedModel& model);
  grammar::Compiler compiler;
  grammar::MaskThread mask_thread;
};

/// Throws InvalidArgument: no tokens, or an id that the model does not have. `what`: for the message.
void check_tokens(std::span<const int32_t> tokens, int vocab_size, std::string_view what);

/// Checks a request and turns it into ids. request.id is set. seed: for a request that brings none. Throws
/// InvalidArgument, and Unsupported for a grammar that cannot be enforced.
CheckedRequest check_request(Request request, const LoadedModel& model, const RequestLimits& limits,
                             LogprobStore& store, Grammars& grammars, uint64_t seed, OnNews on_news);

}  // namespace caravel::engine
