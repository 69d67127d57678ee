#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "base/budget.h"
#include "cache/capacity.h"
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
  cache::Capacity pool;
  int64_t logprob_memory = 0;  // bytes, for all requests
};

/// What one token's log-probability takes with those of the `likely` most likely ones beside it: as the engine gathers
/// it, as its reader has it, and as the whole that is the reader's in the end.
constexpr int64_t logprob_bytes(int likely) {
  return 3 * static_cast<int64_t>(sizeof(TokenLogprob) + likely * sizeof(TokenLogprob::top[0]));
}

/// What constrained answers need.
struct Grammars {
  /// For the model's vocabulary. `model` must outlive it. The others are MaskThreads'.
  Grammars(const LoadedModel& model, std::function<void()> mask_ready, std::function<void()> before_mask);
  Budget memory;  // for states and masks, and for logits that wait for a mask
  grammar::Compiler compiler;
  grammar::MaskThreads mask_threads;
};

/// Cuts a request's answers to what there is room for, and says how many bytes its log-probabilities may come to take.
/// `params` are resolved. Throws as check_request().
int64_t fit_length(SamplingParams& params, int64_t prompt_tokens, const RequestLimits& limits);

/// Throws InvalidArgument: no tokens, or an id that the model does not have. `what`: for the message.
void check_tokens(std::span<const int32_t> tokens, int vocab_size, std::string_view what);

/// Throws InvalidArgument: as check_tokens(), or a text that is longer than the engine takes.
void check_text(const EmbedRequest& request, const ModelInfo& model);

/// Checks a request and turns it into ids. request.id is set. seed: for a request that brings none. Its answers are cut
/// to what the context, the pool and the memory for log-probabilities hold. Throws InvalidArgument, CapacityError for
/// log-probabilities that never fit, and Unsupported for a grammar that cannot be enforced.
CheckedRequest check_request(Request request, const LoadedModel& model, const RequestLimits& limits,
                             LogprobStore& store, Grammars& grammars, uint64_t seed, OnNews on_news);

}  // namespace caravel::engine
