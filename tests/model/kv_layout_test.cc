#include <gtest/gtest.h>

#include <set>

#include "device/cpu/cpu_device.h"
#include "model/config.h"
#include "model/forward_batch.h"

namespace caravel::model {
namespace {

/// windows: of each layer.
KvLayout layout_of(const std::vector<int>& windows) {
  ModelConfig config;
  config.num_kv_heads = 2;
  config.head_dim = 64;
  for (const int window : windows) config.layers.push_back({.window = window});
  CpuDevice device(1);
  return kv_layout(device, config, 16, kernels::KvDtype::kF16);
}

/// `local` layers of a window and one without, `repeat` times over, cut to `count` layers.
std::vector<int> pattern(int local, int count) {
  std::vector<int> windows;
  for (int i = 0; i < count; ++i) windows.push_back((i + 1) % (local + 1) == 0 ? 0 : 512);
  return windows;
}

void expect_groups(const std::vector<int>& windows, size_t groups, int layers_per_group) {
  CpuDevice device(1);
  const KvLayout layout = layout_of(windows);
  EXPECT_EQ(layout.groups.size(), groups);
  EXPECT_EQ(layout.layers_per_group, layers_per_group);
  EXPECT_EQ(layout.layer_bytes, kernels::kv_layer_bytes(device, 16, 2, 64, kernels::KvDtype::kF16));
  EXPECT_EQ(layout.block_bytes(), layout.layer_bytes * layers_per_group);
  std::set<int> seen;
  bool windowed = false;
  for (const KvGroup& group : layout.groups) {
    EXPECT_LE(group.layers.size(), static_cast<size_t>(layers_per_group));
    windowed = windowed || group.window != 0;
    EXPECT_EQ(windowed, group.window != 0) << "groups without a window come first";
    for (const int layer : group.layers) {
      EXPECT_EQ(windows[static_cast<size_t>(layer)], group.window);
      EXPECT_TRUE(seen.insert(layer).second) << "layer " << layer << " is in two groups";
    }
  }
  EXPECT_EQ(seen.size(), windows.size());
}

TEST(KvLayout, LayersOfOneKindAreOneGroup) {
  expect_groups(std::vector<int>(30, 0), 1, 30);
  expect_groups(std::vector<int>(32, 4096), 1, 32);
  expect_groups({0}, 1, 1);
}

TEST(KvLayout, KindsAreCutIntoEqualGroups) {
  expect_groups(pattern(5, 18), 6, 3);   // Gemma 3 270M: 15 and 3
  expect_groups(pattern(5, 26), 13, 2);  // 1B: 22 and 4
  expect_groups(pattern(5, 48), 6, 8);   // 12B: 40 and 8
}

TEST(KvLayout, SmallPaddingBuysFewerGroups) {
  expect_groups(pattern(5, 34), 7, 5);   // 4B, 29 and 5: one part of 35 is padding, against 34 groups of one layer
  expect_groups(pattern(5, 62), 16, 4);  // 27B, 52 and 10: two parts of 64
}

TEST(KvLayout, NeverMoreGroupsThanABatchHolds) {
  // 199 and 1: groups of one layer would pad nothing, and there would be 200.
  std::vector<int> windows(200, 512);
  windows.back() = 0;
  const KvLayout layout = layout_of(windows);
  EXPECT_LE(layout.groups.size(), static_cast<size_t>(kMaxKvGroups));
  const int parts = static_cast<int>(layout.groups.size()) * layout.layers_per_group;
  EXPECT_LE(parts - 200, 200 / 32);
}

}  // namespace
}  // namespace caravel::model
