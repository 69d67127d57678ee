#include <gtest/gtest.h>

#include <set>

#include "device/cpu/cpu_device.h"
#include "model/config.h"
#include "model/forward_batch.h"

namespace caravel::model {
namespace {

/// windows: of each layer.
KvLayout layout_of(const std::vector<int>& windows, const Placement& placement = {}) {
  ModelConfig config;
  config.num_heads = 4;
  config.num_kv_heads = 2;
  config.placement = placement;
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

// Whatever its heads, and on every rank the whole of it.
TEST(KvLayout, AKeyThatHoldsItsValueIsKeptOnce) {
  ModelConfig config;
  config.num_heads = 16;
  config.num_kv_heads = 1;
  config.head_dim = 576;
  config.latent = {.latent_dim = 512, .nope_dim = 128, .rotary_dim = 64, .value_dim = 128};
  config.layers.resize(27);
  CpuDevice device(1);
  for (const Placement& placement : {Placement{}, Placement{.tensor_rank = 1, .tensor_ranks = 2}}) {
    config.placement = placement;
    const KvLayout layout = kv_layout(device, config, 16, kernels::KvDtype::kF16);
    EXPECT_EQ(layout.layer_bytes, 16 * 576 * 2);
    EXPECT_EQ(layout.block_bytes(), 27 * 16 * 576 * 2);
  }
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

TEST(KvLayout, RanksHaveTheSameGroupsAndTheirOwnHeadsAndLayers) {
  for (const std::vector<int>& windows : {std::vector<int>(30, 0), pattern(5, 18), pattern(5, 48), pattern(5, 62)}) {
    const KvLayout whole = layout_of(windows);
    std::vector<int> layers(whole.groups.size(), 0);  // that the stages have, by group
    int first = 0;
    for (int stage = 0; stage < 2; ++stage) {
      const KvLayout part = layout_of(windows, {.tensor_rank = 1, .tensor_ranks = 2, .stage = stage, .stages = 2});
      EXPECT_EQ(part.layer_bytes * 2, whole.layer_bytes) << "one KV head of two";
      EXPECT_LE(part.layers_per_group, whole.layers_per_group / 2 + 1) << "a group is of all stages";
      ASSERT_EQ(part.groups.size(), whole.groups.size());
      for (size_t g = 0; g < part.groups.size(); ++g) {
        EXPECT_EQ(part.groups[g].window, whole.groups[g].window);
        for (const int layer : part.groups[g].layers) {
          const auto place = static_cast<size_t>(layers[g]++);
          EXPECT_EQ(layer + first, whole.groups[g].layers.at(place));
        }
      }
      first = static_cast<int>(windows.size()) / 2;
    }
    for (size_t g = 0; g < layers.size(); ++g) {
      EXPECT_EQ(static_cast<size_t>(layers[g]), whole.groups[g].layers.size());
    }
  }
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
