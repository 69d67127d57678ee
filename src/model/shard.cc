#include "model/shard.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "model/config.h"

namespace caravel::model {
namespace {

Slice slice_of(int64_t whole, int rank, int ranks) {
  const Range range = share_of(whole, rank, ranks);
  return {whole, range.begin, range.end};
}

Slice layers_of(const Placement& place, int64_t layers) {
  if (place.stage_layers.empty()) return slice_of(layers, place.stage, place.stages);
  const auto own = place.stage_layers.begin() + place.stage;
  const int64_t begin = std::accumulate(place.stage_layers.begin(), own, int64_t{0});
  return {layers, begin, begin + *own};
}

/// Widths of feed-forward matrices that some layer has, and what they are called.
struct Widths {
  explicit Widths(const ModelConfig& config) {
    if (!std::ranges::all_of(config.layers, &LayerSpec::routed)) add("an intermediate size", config.intermediate_size);
    if (config.experts.rule.experts == 0) return;
    add("experts", config.experts.intermediate_size);
    if (config.experts.shared_intermediate_size > 0) add("shared experts", config.experts.shared_intermediate_size);
  }
  void add(std::string_view name, int width) {
    sizes.push_back(width);
    words.push_back(fmt::format("{} of {}", name, width));
  }

  std::vector<int> sizes;
  std::vector<std::string> words;
};

bool divides(const ModelConfig& config, const Widths& widths, int ranks) {
  return config.num_heads % ranks == 0 &&
         std::ranges::all_of(widths.sizes, [&](int width) { return width % ranks == 0; }) &&
         (config.num_kv_heads % ranks == 0 || ranks % config.num_kv_heads == 0);
}

void check_tensor_ranks(const ModelConfig& config, int ranks) {
  if (ranks == 1) return;
  if (config.qk_norm_rows) {
    throw fail<Unsupported>(
        "{}: {} tensor-parallel ranks cannot share the heads of a {}, whose norm of queries and keys is over all heads "
        "at once; run it on one, or on the stages of a pipeline",
        config.name, ranks, config.architecture);
  }
  const Widths widths(config);
  if (divides(config, widths, ranks)) return;
  std::vector<int> able;
  for (int n = 1; n <= config.num_heads; ++n) {
    if (divides(config, widths, n)) able.push_back(n);
  }
  throw fail<Unsupported>(
      "{}: {} tensor-parallel ranks cannot have equal parts of {} attention heads, {} of K and V, and {}; these "
      "numbers of ranks can: {}",
      config.name, ranks, config.num_heads, config.num_kv_heads, fmt::join(widths.words, ", "), fmt::join(able, ", "));
}

}  // namespace

Shard shard_of(const ModelConfig& config) {
  const Placement& place = config.placement;
  CARAVEL_CHECK(place.tensor_rank >= 0 && place.tensor_rank < place.tensor_ranks);
  CARAVEL_CHECK(place.stage >= 0 && place.stage < place.stages);
  const auto layers = static_cast<int64_t>(config.layers.size());
  check_tensor_ranks(config, place.tensor_ranks);
  if (place.stages > 1 && place.stages > layers) {
    throw fail<Unsupported>("{}: a pipeline of {} stages needs a layer for each, and it has {}", config.name,
                            place.stages, layers);
  }
  const auto part = [&](int64_t whole) { return slice_of(whole, place.tensor_rank, place.tensor_ranks); };
  Shard shard{.layers = layers_of(place, layers),
              .heads = part(config.num_heads),
              .kv_heads = part(config.num_kv_heads),
              .intermediate = part(config.intermediate_size),
              .expert_intermediate = part(config.experts.intermediate_size),
              .shared_intermediate = part(config.experts.shared_intermediate_size),
              .vocabulary = part(config.vocab_size)};
  if (config.num_kv_heads < place.tensor_ranks) {
    const int64_t head = int64_t{place.tensor_rank} * config.num_kv_heads / place.tensor_ranks;
    shard.kv_heads = {config.num_kv_heads, head, head + 1};
  }
  return shard;
}

}  // namespace caravel::model
