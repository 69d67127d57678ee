#include <algorithm>
#include <utility>

#include "base/check.h"
#include "model/config.h"
#include "model/forward_batch.h"

namespace caravel::model {
namespace {

/// Layers of one window, in order.
std::vector<KvGroup> by_window(const ModelConfig& config) {
  std::vector<KvGroup> classes;
  for (size_t i = 0; i < config.layers.size(); ++i) {
    const int window = config.layers[i].window;
    auto found = std::find_if(classes.begin(), classes.end(), [&](const KvGroup& c) { return c.window == window; });
    if (found == classes.end()) found = classes.insert(classes.end(), {window, {}});
    found->layers.push_back(static_cast<int>(i));
  }
  std::stable_sort(classes.begin(), classes.end(),
                   [](const KvGroup& a, const KvGroup& b) { return a.window < b.window; });
  return classes;
}

size_t groups_of(const KvGroup& one_class, size_t size) { return (one_class.layers.size() + size - 1) / size; }

size_t groups_of(const std::vector<KvGroup>& classes, size_t size) {
  size_t groups = 0;
  for (const KvGroup& c : classes) groups += groups_of(c, size);
  return groups;
}

size_t choose_layers_per_group(const std::vector<KvGroup>& classes, size_t layers) {
  size_t largest = 0;
  for (const KvGroup& c : classes) largest = std::max(largest, c.layers.size());
  size_t best = largest;
  // From the fewest groups to the most: the first that wastes little enough wins, else the one that wastes least.
  for (size_t size = largest; size > 0; --size) {
    const size_t groups = groups_of(classes, size);
    if (groups > static_cast<size_t>(kMaxKvGroups)) break;
    const size_t parts = groups * size;
    if ((parts - layers) * 32 <= parts) return size;
    if (parts < groups_of(classes, best) * best) best = size;
  }
  return best;
}

}  // namespace

KvLayout kv_layout(Device& device, const ModelConfig& config, int block_size, kernels::KvDtype dtype) {
  const std::vector<KvGroup> classes = by_window(config);
  const size_t size = choose_layers_per_group(classes, config.layers.size());
  const Shard shard = shard_of(config);
  const auto kv_heads = static_cast<int>(shard.kv_heads.size());
  KvLayout layout;
  const auto layer_bytes = config.latent ? kernels::shared_layer_bytes : kernels::kv_layer_bytes;
  layout.layer_bytes = layer_bytes(device, block_size, kv_heads, config.head_dim, dtype);
  for (const KvGroup& c : classes) {
    const size_t groups = groups_of(c, size);
    for (size_t g = 0; g < groups; ++g) {
      KvGroup& group = layout.groups.emplace_back(KvGroup{.window = c.window, .layers = {}});
      for (size_t i = g; i < c.layers.size(); i += groups) {
        if (shard.layers.contains(c.layers[i])) {
          group.layers.push_back(c.layers[i] - static_cast<int>(shard.layers.begin));
        }
      }
      layout.layers_per_group = std::max(layout.layers_per_group, static_cast<int>(group.layers.size()));
    }
  }
  CARAVEL_CHECK_LE(layout.groups.size(), static_cast<size_t>(kMaxKvGroups));
  return layout;
}

}  // namespace caravel::model
