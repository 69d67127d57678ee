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

size_t groups_of(const std::vector<KvGroup>& classes, size_t size) {
  size_t groups = 0;
  for (const KvGroup& c : classes) groups += (c.layers.size() + size - 1) / size;
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
  KvLayout layout;
  layout.layers_per_group = static_cast<int>(size);
  layout.layer_bytes = kernels::kv_layer_bytes(device, block_size, config.num_kv_heads, config.head_dim, dtype);
  for (const KvGroup& c : classes) {
    for (size_t begin = 0; begin < c.layers.size(); begin += size) {
      const size_t end = std::min(begin + size, c.layers.size());
      layout.groups.push_back(
          {c.window,
           {c.layers.begin() + static_cast<ptrdiff_t>(begin), c.layers.begin() + static_cast<ptrdiff_t>(end)}});
    }
  }
  CARAVEL_CHECK_LE(layout.groups.size(), static_cast<size_t>(kMaxKvGroups));
  return layout;
}

}  // namespace caravel::model
