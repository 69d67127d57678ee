#include "kernels/cuda/tile_plan.h"

#include <gtest/gtest.h>

#include <vector>

namespace caravel::kernels::cuda {
namespace {

constexpr int kSms = 132;
constexpr int kSharedBytes = 227 << 10;

std::vector<PackedWeight::Part> parts_of(DType dtype, const std::vector<int64_t>& rows) {
  std::vector<PackedWeight::Part> parts;
  int64_t begin = 0;
  for (const int64_t count : rows) {
    parts.push_back({dtype, begin, count, 0});
    begin += count;
  }
  return parts;
}

// Whatever the type, the shape and the number of tokens: all rows are some tile's, rings are deep enough to turn, and
// what wgmma reads past a tile's rows lies in shared memory.
TEST(TilePlan, EveryShapeFits) {
  for (int type = 1; type < kDTypeCount; ++type) {
    const auto dtype = static_cast<DType>(type);
    const int64_t unit = std::max(8, dtype_info(dtype).block_elements);
    for (int64_t rows = 1; rows < 20'000; rows = rows * 3 / 2 + 7) {
      for (int64_t in = unit; in < 30'000; in = (in * 2 / unit + 1) * unit) {
        for (const int64_t tokens : {1, 9, 17, 33, 65, 200, 500}) {
          for (const bool paired : {false, true}) {
            SCOPED_TRACE(testing::Message() << dtype_info(dtype).name << ", " << rows << " rows of " << in << ", "
                                            << tokens << " tokens, paired " << paired);
            const auto parts = parts_of(dtype, {rows, rows});
            const TilePlan plan = plan_tiles(parts, in, {.tokens = tokens}, paired, kSms, kSharedBytes);
            const int64_t groups = row_groups(rows);
            const int64_t of_tile = int64_t{plan.groups} * (paired ? 1 : plan.warpgroups);
            ASSERT_EQ(plan.row_tiles, (paired ? 1 : 2) * ((groups + of_tile - 1) / of_tile));
            ASSERT_GE(int64_t{plan.token_tiles} * plan.tokens, tokens);
            ASSERT_GE(plan.steps_ahead, 2);
            ASSERT_TRUE(plan.slot_bytes % 1024 == 0 && plan.weight_bytes % 1024 == 0 && plan.source_bytes % 128 == 0);
            ASSERT_LE(plan.shared_bytes, kSharedBytes);
            ASSERT_GT(2 * plan.shared_bytes, kSharedBytes);  // one block an SM
            if (plan.converts) {
              ASSERT_GE(plan.sources_ahead, 2);
              ASSERT_GE(plan.source_stride, group_bytes(dtype, kSourceBlocks * kBlockInputs));
              ASSERT_GE(plan.source_bytes, plan.warpgroups * plan.groups * plan.source_stride);
              ASSERT_LE(plan.threads(), 128 * kInputParts + 128);
              continue;
            }
            const int last_slot = (plan.steps_ahead - 1) * plan.slot_bytes;
            const int rows_read = (plan.warpgroups - 1) * (plan.in_turn ? 2 * kGroupPairs : plan.groups) + 8;
            ASSERT_LE(last_slot + rows_read * plan.step_blocks * kImageBytes, plan.shared_bytes);
          }
        }
      }
    }
  }
}

// However many experts there are: each that has rows has a place in the list, and rings are deep enough beside it.
TEST(TilePlan, ExpertsFit) {
  for (const DType dtype : {DType::kBF16, DType::kF8E4M3B128, DType::kQ4_K, DType::kQ6_K}) {
    for (const int64_t rows : {64, 768, 5000}) {
      for (const TokenLoad& load : {TokenLoad{1, 1, 1},
                                    {1, 1024, 32},
                                    {3, 8, 2},
                                    {64, 128, 8},
                                    {64, 1024, 8},
                                    {500, 128, 8},
                                    {2048, 1024, 32},
                                    {8192, 8, 2}}) {
        for (const bool paired : {false, true}) {
          SCOPED_TRACE(testing::Message() << dtype_info(dtype).name << ", " << rows << " rows, " << load.tokens
                                          << " tokens, " << load.per_token << " of " << load.experts << " experts");
          const TilePlan plan = plan_tiles(parts_of(dtype, {rows, rows}), 2048, load, paired, kSms, kSharedBytes);
          const int listed = static_cast<int>(std::min<int64_t>(load.experts, load.rows()));
          ASSERT_LE(plan.experts_begin + (listed + 1) * kListedExpertBytes, plan.shared_bytes);
          ASSERT_LE(plan.shared_bytes, kSharedBytes);
          ASSERT_GE(plan.steps_ahead, 2);
          // Were all but one tile of an expert filled.
          ASSERT_GE(plan.token_tiles, std::min(listed, 1) + (load.rows() - 1) / plan.tokens);
        }
      }
    }
  }
}

// The two of every pair of rows that are rotated together are some tile's.
TEST(TilePlan, PairsOfRowsShareATile) {
  for (const DType dtype : {DType::kBF16, DType::kQ4_K}) {
    auto parts = parts_of(dtype, {4096, 1024, 1024});
    for (PackedWeight::Part& part : parts) part.heads = {.head_dim = 128, .rotary_dim = 128};
    const GroupOrder order = group_order(parts[0].heads, dtype);
    for (const int64_t tokens : {1, 33, 300}) {
      const TilePlan plan = plan_tiles(parts, 4096, {.tokens = tokens}, false, kSms, kSharedBytes);
      const int of_tile = plan.groups * plan.warpgroups;
      for (int group = 0; group < 512; ++group) {
        const int place = order.place_of(group);
        ASSERT_EQ(order.rows_at(place), group);
        const int other = order.place_of(group % 16 < 8 ? group + 8 : group - 8);
        ASSERT_EQ(other / of_tile, place / of_tile);
      }
    }
  }
}

// Llama-3.1-8B's matrices keep nearly all SMs busy, and none of them for two rounds where one will do.
TEST(TilePlan, TilesSuitTheSms) {
  struct Shape {
    std::vector<int64_t> rows;
    int64_t in;
    bool paired;
  };
  const Shape shapes[] = {
      {{4096, 1024, 1024}, 4096, false}, {{4096}, 4096, false}, {{14336, 14336}, 4096, true}, {{4096}, 14336, false}};
  for (const Shape& shape : shapes) {
    for (const int64_t tokens : {1, 8, 64}) {
      const auto parts = parts_of(DType::kBF16, shape.rows);
      const TilePlan plan = plan_tiles(parts, shape.in, {.tokens = tokens}, shape.paired, kSms, kSharedBytes);
      const int rounds = (plan.tiles() + kSms - 1) / kSms;
      EXPECT_GE(plan.tiles(), rounds * kSms * 9 / 10) << shape.rows[0] << " rows, " << tokens << " tokens";
      EXPECT_LE(rounds, 2);
    }
  }
}

// The experts of Qwen3-30B-A3B that one token has keep nearly all SMs busy for one round.
TEST(TilePlan, TilesOfExpertsSuitTheSms) {
  constexpr int kChosen = 8;
  for (const bool paired : {false, true}) {
    const auto parts = paired ? parts_of(DType::kBF16, {768, 768}) : parts_of(DType::kBF16, {2048});
    const TilePlan plan = plan_tiles(parts, paired ? 2048 : 768, {1, 128, kChosen}, paired, kSms, kSharedBytes);
    EXPECT_EQ(plan.token_tiles, kChosen);
    EXPECT_LE(plan.tiles(), kSms);
    EXPECT_GE(plan.tiles(), kSms * 9 / 10);
  }
}

}  // namespace
}  // namespace caravel::kernels::cuda
