#include "base/philox.h"
#include "kernels/cuda/row_select.cuh"
#include "sampler/cuda/draw_state.h"
#include "sampler/token_bits.h"

namespace caravel::sampler::cuda {
namespace {

using kernels::cuda::boundary_key;
using kernels::cuda::index_of;
using kernels::cuda::kAllLanes;
using kernels::cuda::key_of;
using kernels::cuda::KeyList;
using kernels::cuda::kRowThreads;
using kernels::cuda::kWarp;
using kernels::cuda::Largest;
using kernels::cuda::list_keys;
using kernels::cuda::ordered_bits;
using kernels::cuda::reduce_block;
using kernels::cuda::Sum;

constexpr int kWarps = kRowThreads / kWarp;
constexpr float kNever = -__builtin_inff();
constexpr uint32_t kXtcStream = 1U << 31;  // beyond every sequence's index: XTC's chance is not the draw's
/// How many of the likeliest are looked at first where top-p alone narrows.
constexpr int kLikeliest = 512;

/// Weights are summed as integers, so that the order of adding is all one: of 2^44 for a weight of 1, which leaves room
/// for a vocabulary of half a million.
constexpr float kOne = 0x1p44F;
__device__ uint64_t mass_of(float weight) { return __float2ull_rn(weight * kOne); }
/// The least mass that reaches `part` of `mass`, and never none.
__device__ uint64_t part_of(uint64_t mass, float part) {
  const uint64_t target = __double2ull_ru(static_cast<double>(mass) * static_cast<double>(part));
  return target > 0 ? target : 1;
}
/// Where `uniform` in [0, 1) falls.
__device__ uint64_t place_in(uint64_t mass, double uniform) {
  const uint64_t place = __double2ull_rd(static_cast<double>(mass) * uniform);
  return place < mass ? place : mass - 1;
}

/// function(token) for the thread's share of [0, vocab): of a warp's stretch every 32nd, so that the tokens before a
/// warp's lie with the warps before.
template <typename Function>
__device__ __forceinline__ void for_tokens(int64_t vocab, Function function) {
  const int stretch = static_cast<int>((vocab + kRowThreads - 1) / kRowThreads) * kWarp;
  const int begin = static_cast<int>(threadIdx.x) / kWarp * stretch;
  const int end = begin + stretch < vocab ? begin + stretch : static_cast<int>(vocab);
#pragma unroll 2
  for (int token = begin + static_cast<int>(threadIdx.x) % kWarp; token < end; token += kWarp) function(token);
}

/// The passes that change few logits, made in place and taken back after the draw. Each is done by the whole block.
class Edits {
 public:
  __device__ Edits(const DrawState& state, float* logits)
      : state_(state),
        logits_(logits),
        ends_(state.tokens < state.tokens_to_end ? state.ends : 0),
        bias_saved_(state.saved + state.ends + state.words),
        count_saved_(bias_saved_ + state.biases) {}

  __device__ bool empty() const { return ends_ + state_.words + state_.biases + state_.counted == 0; }

  __device__ void apply() {
    for (int i = static_cast<int>(threadIdx.x); i < ends_ + state_.words; i += kRowThreads) {
      const int32_t token = i < ends_ ? state_.end_ids[i] : completing(i - ends_);
      // The first to forbid a token has its logit.
      state_.saved[i] = token < 0 ? kNever : atomicExch(logits_ + token, kNever);
    }
    __syncthreads();
    for_biases([&](int i, float& logit) {
      bias_saved_[i] = logit;
      for (int j = i; j < state_.biases && state_.bias_tokens[j] == state_.bias_tokens[i]; ++j) {
        logit += state_.bias_values[j];
      }
    });
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < state_.counted; i += kRowThreads) {
      const CountedToken counted = state_.counts[i];
      float logit = logits_[counted.token];
      count_saved_[i] = logit;
      // Keskar et al. 2019, "CTRL", section 4.1; a negative logit is multiplied, so that it sinks too.
      logit = logit > 0 ? logit / state_.repetition_penalty : logit * state_.repetition_penalty;
      if (counted.in_output > 0) {
        logit -= state_.presence_penalty + state_.frequency_penalty * static_cast<float>(counted.in_output);
      }
      logits_[counted.token] = logit;
    }
    __syncthreads();
  }

  __device__ void revert() {
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < state_.counted; i += kRowThreads) {
      logits_[state_.counts[i].token] = count_saved_[i];
    }
    __syncthreads();
    for_biases([&](int i, float& logit) { logit = bias_saved_[i]; });
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < ends_ + state_.words; i += kRowThreads) {
      const int32_t token = i < ends_ ? state_.end_ids[i] : completing(i - ends_);
      if (token >= 0 && state_.saved[i] != kNever) logits_[token] = state_.saved[i];
    }
    __syncthreads();
  }

 private:
  /// The token that completes a bad word behind the sequence, or -1.
  __device__ int32_t completing(int word) const {
    const int32_t* const tokens = state_.word_tokens + state_.word_begins[word];
    const int before = state_.word_begins[word + 1] - state_.word_begins[word] - 1;
    if (state_.tokens < before) return -1;
    for (int i = 0; i < before; ++i) {
      if (state_.recent[(state_.tokens - before + i) & (state_.recent_room - 1)] != tokens[i]) return -1;
    }
    return tokens[before];
  }

  /// function(i, logit) for the first of each token's biases.
  template <typename Function>
  __device__ void for_biases(Function function) {
    for (int i = static_cast<int>(threadIdx.x); i < state_.biases; i += kRowThreads) {
      const int32_t token = state_.bias_tokens[i];
      if (i == 0 || state_.bias_tokens[i - 1] != token) function(i, logits_[token]);
    }
  }

  const DrawState& state_;
  float* const logits_;
  const int ends_;
  float* const bias_saved_;
  float* const count_saved_;
};

/// A row's tokens that may be drawn, and how likely.
struct Candidates {
  const float* logits;
  int64_t vocab;
  const uint32_t* mask;
  const uint32_t* allowed;
  float temperature;
  float largest;  // logit

  __device__ float scaled(float logit) const { return (logit - largest) / temperature; }
  __device__ float weight(float logit) const { return expf(scaled(logit)); }

  /// function(token, logit) for the thread's share.
  template <typename Function>
  __device__ __forceinline__ void for_each(Function function) const {
    for_tokens(vocab, [&](int32_t token) {
      const float logit = logits[token];
      if (!isfinite(logit)) return;
      if (mask != nullptr && !allows(mask, token)) return;
      if (allowed != nullptr && !allows(allowed, token)) return;
      function(token, logit);
    });
  }
};

/// The sum of what threads before have. All threads of the block call it; `total` is of all.
__device__ uint64_t sum_before(uint64_t own, uint64_t& total) {
  __shared__ uint64_t warps[kWarps];
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  uint64_t sum = own;
#pragma unroll
  for (int apart = 1; apart < kWarp; apart *= 2) {
    const uint64_t other = __shfl_up_sync(kAllLanes, sum, apart);
    if (lane >= apart) sum += other;
  }
  __syncthreads();
  if (lane == kWarp - 1) warps[threadIdx.x / kWarp] = sum;
  __syncthreads();
  uint64_t before = 0;
  total = 0;
  for (int w = 0; w < kWarps; ++w) {
    if (w == static_cast<int>(threadIdx.x) / kWarp) before = total;
    total += warps[w];
  }
  return before + sum - own;
}

/// Draws from the likeliest, which are sorted: those from top_k or top_p on that are narrowed further. A thread has two
/// neighbours. Returns the token, or -1 where the list does not reach top_p.
__device__ int32_t draw_listed(const DrawState& state, const Candidates& candidates, const KeyList& list,
                               uint64_t row_mass, double chance, double xtc_chance) {
  __shared__ int32_t drawn;
  int begin = 0;
  int end = list.count;
  if (state.top_k > 0) end = min(end, state.top_k);
  const int first = 2 * static_cast<int>(threadIdx.x);
  float weights[2];
#pragma unroll
  for (int j = 0; j < 2; ++j) {
    weights[j] = first + j < end ? candidates.weight(candidates.logits[index_of(list.keys[first + j])]) : 0.0F;
  }
  // Of those that are kept.
  const auto mass = [&](int j) { return first + j >= begin && first + j < end ? mass_of(weights[j]) : 0; };
  const auto count = [&](auto kept) {
    int kept_here = 0;
#pragma unroll
    for (int j = 0; j < 2; ++j) kept_here += first + j < end && kept(j) ? 1 : 0;
    return reduce_block(kept_here, 0, Sum());
  };
  uint64_t total;
  if (state.top_p < 1.0F) {
    const uint64_t before = sum_before(mass(0) + mass(1), total);
    const uint64_t target = part_of(state.top_k > 0 ? total : row_mass, state.top_p);
    if (total < target && state.top_k <= 0) return -1;
    end = count([&](int j) { return before + (j > 0 ? mass(0) : 0) < target; });
  }
  if (state.min_p > 0.0F) end = max(1, count([&](int j) { return weights[j] >= state.min_p; }));
  if (xtc_chance < state.xtc_probability) {
    sum_before(mass(0) + mass(1), total);
    const double enough = static_cast<double>(state.xtc_threshold) * (static_cast<double>(total) / kOne);
    begin = max(0, count([&](int j) { return weights[j] >= enough; }) - 1);
  }
  const uint64_t before = sum_before(mass(0) + mass(1), total);
  if (threadIdx.x == 0) drawn = index_of(list.keys[begin]);
  __syncthreads();
  if (total > 0) {
    const uint64_t place = place_in(total, chance);
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      const uint64_t at = before + (j > 0 ? mass(0) : 0);
      if (place >= at && place - at < mass(j)) drawn = index_of(list.keys[first + j]);
    }
  }
  __syncthreads();
  return drawn;
}

/// The same of the whole row, by passes over it: any rules. In the order of tokens.
__device__ int32_t draw_from_row(const DrawState& state, const Candidates& candidates, double chance,
                                 double xtc_chance) {
  __shared__ uint64_t warp_masses[kWarps];
  __shared__ int32_t drawn;
  uint64_t least = 0;          // key that is kept
  uint64_t least_typical = 0;  // the same of typical_p
  double middle = 0;           // the scaled logit that is the most typical
  float least_weight = 0.0F;
  bool excludes = false;  // XTC: those of enough weight but for one
  double enough = 0;
  int32_t exempt = -1;

  // Larger for the more typical, and among equals for the lower token.
  const auto typical_key = [&](int32_t token, float logit) {
    const auto distance = static_cast<float>(fabs(static_cast<double>(candidates.scaled(logit)) - middle));
    return uint64_t{~ordered_bits(distance)} << 32 | ~static_cast<uint32_t>(token);
  };
  const auto kept_weight = [&](int32_t token, float logit) {
    if (least > 0 && key_of(logit, token) < least) return 0.0F;
    if (least_typical > 0 && typical_key(token, logit) < least_typical) return 0.0F;
    const float weight = candidates.weight(logit);
    if (weight < least_weight) return 0.0F;
    if (excludes && weight >= enough && token != exempt) return 0.0F;
    return weight;
  };
  const auto kept_mass = [&] {
    uint64_t mass = 0;
    candidates.for_each([&](int32_t token, float logit) { mass += mass_of(kept_weight(token, logit)); });
    return reduce_block(mass, uint64_t{0}, Sum());
  };

  if (state.top_k > 0) {
    least = boundary_key(static_cast<uint64_t>(state.top_k), [&](auto function) {
      candidates.for_each([&](int32_t token, float logit) { function(key_of(logit, token), uint64_t{1}); });
    });
  }
  if (state.typical_p < 1.0F) {
    // Meister et al. 2023, "Locally typical sampling": those whose surprise is nearest to the entropy.
    const uint64_t mass = kept_mass();
    const double total = static_cast<double>(mass) / kOne;
    const double log_total = log(total);
    double entropy = 0;
    candidates.for_each([&](int32_t token, float logit) {
      const float weight = kept_weight(token, logit);
      if (weight > 0) entropy += weight / total * (log_total - candidates.scaled(logit));
    });
    middle = log_total - reduce_block(entropy, 0.0, Sum());
    const uint64_t boundary = boundary_key(part_of(mass, state.typical_p), [&](auto function) {
      candidates.for_each(
          [&](int32_t token, float logit) { function(typical_key(token, logit), mass_of(kept_weight(token, logit))); });
    });
    least_typical = boundary;
  }
  if (state.top_p < 1.0F) {
    const uint64_t target = part_of(kept_mass(), state.top_p);
    const uint64_t boundary = boundary_key(target, [&](auto function) {
      candidates.for_each(
          [&](int32_t token, float logit) { function(key_of(logit, token), mass_of(kept_weight(token, logit))); });
    });
    least = boundary > least ? boundary : least;
  }
  if (state.min_p > 0.0F) {
    float best = 0.0F;
    candidates.for_each([&](int32_t token, float logit) { best = fmaxf(best, kept_weight(token, logit)); });
    least_weight = state.min_p * reduce_block(best, 0.0F, Largest());
  }
  if (xtc_chance < state.xtc_probability) {
    enough = static_cast<double>(state.xtc_threshold) * (static_cast<double>(kept_mass()) / kOne);
    uint64_t likely = 0;  // of the least likely of them, the complement of its key
    candidates.for_each([&](int32_t token, float logit) {
      const float weight = kept_weight(token, logit);
      if (weight > 0 && weight >= enough) likely = max(likely, ~key_of(logit, token));
    });
    likely = reduce_block(likely, uint64_t{0}, Largest());
    if (likely > 0) {
      exempt = index_of(~likely);
      excludes = true;
    }
  }

  uint64_t mass = 0;
  candidates.for_each([&](int32_t token, float logit) { mass += mass_of(kept_weight(token, logit)); });
  mass = kernels::cuda::reduce_warp(mass, Sum());
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  __syncthreads();
  if (threadIdx.x % kWarp == 0) warp_masses[warp] = mass;
  if (threadIdx.x == 0) drawn = exempt;
  __syncthreads();
  uint64_t total = 0;
  uint64_t before = 0;
  for (int w = 0; w < kWarps; ++w) {
    if (w == warp) before = total;
    total += warp_masses[w];
  }
  if (total > 0) {
    const uint64_t place = place_in(total, chance);
    if (place >= before && place - before < mass) {
      // The warp goes through its stretch once more, 32 tokens at a time.
      const int stretch = static_cast<int>((candidates.vocab + kRowThreads - 1) / kRowThreads) * kWarp;
      for (int first = warp * stretch; first < (warp + 1) * stretch; first += kWarp) {
        const int token = first + static_cast<int>(threadIdx.x) % kWarp;
        uint64_t own = 0;
        if (token < candidates.vocab) {
          const float logit = candidates.logits[token];
          const bool may = isfinite(logit) && (candidates.mask == nullptr || allows(candidates.mask, token)) &&
                           (candidates.allowed == nullptr || allows(candidates.allowed, token));
          if (may) own = mass_of(kept_weight(token, logit));
        }
        uint64_t sum = own;
#pragma unroll
        for (int apart = 1; apart < kWarp; apart *= 2) {
          const uint64_t other = __shfl_up_sync(kAllLanes, sum, apart);
          if (static_cast<int>(threadIdx.x) % kWarp >= apart) sum += other;
        }
        if (place >= before + sum - own && place < before + sum) drawn = token;
        before += __shfl_sync(kAllLanes, sum, kWarp - 1);
        if (before > place) break;
      }
    }
  }
  __syncthreads();
  return drawn;
}

/// The token drawn behind what `state` has, or -1: the mask leaves none. All threads of the block call it.
__device__ int32_t draw_token(const DrawState& state, const uint32_t* mask, float* logits, int64_t vocab,
                              int32_t argmax, KeyList& list) {
  Edits edits(state, logits);
  const bool greedy = state.temperature == 0.0F;
  const bool plain = edits.empty() && state.allowed == nullptr;
  if (greedy && plain && (mask == nullptr || allows(mask, argmax))) return argmax;
  if (!edits.empty()) edits.apply();

  Candidates candidates = {logits, vocab, mask, state.allowed, state.temperature, 0.0F};
  uint64_t best = 0;
  if (plain && mask == nullptr && isfinite(logits[argmax])) {
    best = key_of(logits[argmax], argmax);
  } else {
    candidates.for_each([&](int32_t token, float logit) {
      const uint64_t key = key_of(logit, token);
      best = key > best ? key : best;
    });
    best = reduce_block(best, uint64_t{0}, Largest());
  }
  int32_t drawn;
  if (best == 0) {
    // Where every token is forbidden, one that is at least allowed.
    drawn = mask != nullptr ? -1 : state.allowed == nullptr ? argmax : state.first_allowed;
  } else if (greedy) {
    drawn = index_of(best);
  } else {
    candidates.largest = logits[index_of(best)];
    const double chance = uniform(state.seed, state.index, static_cast<uint64_t>(state.tokens));
    const double xtc_chance = state.xtc_probability > 0.0F
                                  ? uniform(state.seed, state.index | kXtcStream, static_cast<uint64_t>(state.tokens))
                                  : 1.0;
    drawn = -1;
    if (state.typical_p >= 1.0F && (state.top_k > 0 || state.top_p < 1.0F)) {
      const int wanted = state.top_k > 0 ? state.top_k : kLikeliest;
      const bool listed = list_keys(list, vocab, wanted, [&](auto function) {
        candidates.for_each([&](int32_t token, float logit) { function(key_of(logit, token)); });
      });
      if (listed) {
        uint64_t row_mass = 0;
        if (state.top_k <= 0) {
          candidates.for_each([&](int32_t, float logit) { row_mass += mass_of(candidates.weight(logit)); });
          row_mass = reduce_block(row_mass, uint64_t{0}, Sum());
        }
        drawn = draw_listed(state, candidates, list, row_mass, chance, xtc_chance);
      }
    }
    if (drawn < 0) drawn = draw_from_row(state, candidates, chance, xtc_chance);
  }
  if (!edits.empty()) edits.revert();
  return drawn;
}

/// `token` was drawn and has joined the output. All threads of the block call it.
__device__ void append(DrawState& state, int32_t token) {
  __shared__ bool known;
  if (state.count_room > 0) {
    if (threadIdx.x == 0) known = false;
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < state.counted; i += kRowThreads) {
      if (state.counts[i].token != token) continue;
      ++state.counts[i].in_output;
      known = true;
    }
  }
  __syncthreads();
  if (threadIdx.x != 0) return;
  if (state.count_room > state.counted && !known) state.counts[state.counted++] = {token, 1};
  if (state.recent_room > 0) state.recent[state.tokens & (state.recent_room - 1)] = token;
  ++state.tokens;
}

__global__ void __launch_bounds__(kRowThreads, 1) draw_row(DrawArgs args, DrawState* states, int64_t words) {
  kernels::cuda::follow_kernel_before();
  __shared__ KeyList list;
  const int64_t r = blockIdx.x;
  const SampleRow row = args.rows[r];
  float* const logits = args.logits + r * args.vocab_size;
  int32_t token = row.token;
  bool dead_end = false;
  if (row.sampler >= 0) {
    DrawState& state = states[row.sampler];
    const uint32_t* const mask = row.mask < 0 ? nullptr : args.masks + row.mask * words;
    token = draw_token(state, mask, logits, args.vocab_size, args.argmax[r], list);
    dead_end = token < 0;
    if (dead_end) {
      token = args.argmax[r];
    } else {
      append(state, token);
    }
  }
  if (threadIdx.x != 0) return;
  if (row.sampler >= 0 && !dead_end) args.last_draws[row.sampler] = token;
  args.tokens[r] = token;
  args.dead_ends[r] = dead_end ? 1 : 0;
  args.logprobs[r] = logits[token] - args.log_sum_exp[r];
}

__global__ void store_state(DrawState* to, DrawState state) { *to = state; }

constexpr int kWordThreads = 256;
/// What a launch's arguments have room for besides.
struct WordsPiece {
  uint32_t words[992];
};
constexpr size_t kPieceWords = sizeof(WordsPiece) / sizeof(uint32_t);

__global__ void __launch_bounds__(kWordThreads)
    store_words(uint32_t* to, int count, const __grid_constant__ WordsPiece piece) {
  for (int i = static_cast<int>(threadIdx.x); i < count; i += kWordThreads) to[i] = piece.words[i];
}

}  // namespace

void write_state(Stream& stream, DrawState* to, const DrawState& state) {
  launch(stream, store_state, dim3(1), dim3(1), 0, to, state);
}

void write_words(Stream& stream, uint32_t* to, std::span<const uint32_t> words) {
  WordsPiece piece = {};
  for (size_t begin = 0; begin < words.size(); begin += kPieceWords) {
    const size_t count = words.size() - begin < kPieceWords ? words.size() - begin : kPieceWords;
    for (size_t i = 0; i < count; ++i) piece.words[i] = words[begin + i];
    launch(stream, store_words, dim3(1), dim3(kWordThreads), 0, to + begin, static_cast<int>(count), piece);
  }
}

void draw_rows(Stream& stream, const DrawArgs& args, DrawState* states) {
  launch_early(stream, draw_row, dim3(static_cast<unsigned>(args.count)), dim3(kRowThreads), 0, args, states,
         static_cast<int64_t>(words_of(static_cast<size_t>(args.vocab_size))));
}

}  // namespace caravel::sampler::cuda
