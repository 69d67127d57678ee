#pragma once

#include <cstdint>
#include <vector>

namespace caravel::model {

struct ModelConfig;

/// A range of what the whole model has of something: [begin, end) of `whole`.
struct Slice {
  Slice() = default;
  Slice(int64_t all) : whole(all), end(all) {}  // all of them, where nothing is split
  Slice(int64_t of_whole, int64_t from, int64_t to) : whole(of_whole), begin(from), end(to) {}

  int64_t size() const { return end - begin; }
  bool is_all() const { return size() == whole; }
  bool contains(int64_t i) const { return i >= begin && i < end; }
  /// The same where each is `elements`.
  Slice times(int64_t elements) const { return {whole * elements, begin * elements, end * elements}; }

  int64_t whole = 0;
  int64_t begin = 0;
  int64_t end = 0;
};

/// Where a rank stands among those that run one model: tensor-parallel ranks split every layer (Shoeybi et al. 2019,
/// Megatron-LM, section 3), the stages of a pipeline share the layers out.
struct Placement {
  int tensor_rank = 0;
  int tensor_ranks = 1;
  int stage = 0;
  int stages = 1;
  std::vector<int64_t> stage_layers;  // of each stage; empty: as equally many as can be

  /// Has the embedding's part and the layers from the first on.
  bool is_first_stage() const { return stage == 0; }
  /// Has the final norm and the LM head's part.
  bool is_last_stage() const { return stage == stages - 1; }
};

/// What of a model a rank holds and computes. One that is alone has all of it.
struct Shard {
  Slice layers;
  Slice heads;                // of queries
  Slice kv_heads;             // those that `heads` read; with fewer than ranks, some ranks have the same one
  Slice intermediate;         // elements between gate_up and down
  Slice expert_intermediate;  // the same of each expert that a router chooses
  Slice shared_intermediate;  // and of those that every token has
  Slice vocabulary;  // rows of the embedding and the LM head; not equally many on each rank where they do not divide
};

/// By config.placement. Throws Unsupported where ranks or stages cannot have equal parts, with the numbers and those of
/// ranks that can, and where tensor-parallel ranks would each see a part of what is normed as one (qk_norm_rows).
Shard shard_of(const ModelConfig& config);

}  // namespace caravel::model
