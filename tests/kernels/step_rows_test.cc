#include "kernels/step_rows.h"

#include "kernels/op_testing.h"

namespace caravel::kernels {
namespace {

template <typename T>
std::vector<T> first_of(const DeviceArray<T>& array, size_t begin, size_t count) {
  const std::vector<T> all = array.values();
  return {all.begin() + static_cast<ptrdiff_t>(begin), all.begin() + static_cast<ptrdiff_t>(begin + count)};
}

TEST(StepRows, AreWorkedOutFromTheTablesAsTheyStand) {
  Machine machine(Isa::kPortable, 3);
  Stream& stream = *machine.stream;
  constexpr int kGroups = 2, kMaxTokens = 9, kMaxRows = 4;
  const DeviceArray<int32_t> blocks(stream, kGroups * 5 * 3, -1);
  const BlockTables tables = {.blocks = blocks.data(), .groups = kGroups, .slots = 5, .stride = 3, .block_size = 8};
  const DeviceArray<TableEntry> entries(
      stream, std::vector<TableEntry>{
                  {4, 0, 0, 70}, {4, 0, 1, 71}, {4, 1, 0, 80}, {4, 1, 1, 81}, {1, 0, 2, 90}, {1, 1, 2, 91}});
  write_table_entries(stream, {.entries = entries.data(), .count = 5, .tables = tables});
  write_table_entries(stream, {.entries = entries.data() + 5, .count = 1, .tables = tables});

  const DeviceArray<StepRow> rows(
      stream, std::vector<StepRow>{{.slot = 4, .first = 6, .count = 4}, {.slot = 1, .first = 23, .count = 1}});
  const DeviceArray<int32_t> tokens(stream, std::vector<int32_t>{100, 101, 102, 103, last_draw_of(2)});
  const DeviceArray<int32_t> shared(stream, std::vector<int32_t>{0, 5, 0, 6});
  const DeviceArray<int32_t> last_draws(stream, std::vector<int32_t>{7, 8, 9});
  const DeviceArray<int32_t> token_ids(stream, kMaxTokens, -5);
  const DeviceArray<int32_t> positions(stream, kMaxTokens, -5);
  const DeviceArray<int64_t> slots(stream, kGroups * kMaxTokens, -5);
  const DeviceArray<int32_t> query_start(stream, kMaxRows + 1, -5);
  const DeviceArray<int32_t> context_len(stream, kMaxRows, -5);
  const DeviceArray<int32_t> table_rows(stream, kMaxRows, -5);
  const DeviceArray<int32_t> shared_blocks(stream, kGroups * kMaxRows, -5);
  step_rows(stream, {.rows = rows.data(),
                     .tokens = tokens.data(),
                     .shared = shared.data(),
                     .last_draws = last_draws.data(),
                     .num_rows = 2,
                     .tables = tables,
                     .max_tokens = kMaxTokens,
                     .max_rows = kMaxRows,
                     .token_ids = token_ids.data(),
                     .positions = positions.data(),
                     .slots = slots.data(),
                     .query_start = query_start.data(),
                     .context_len = context_len.data(),
                     .table_rows = table_rows.data(),
                     .shared_blocks = shared_blocks.data()});
  EXPECT_EQ(first_of(token_ids, 0, 6), (std::vector<int32_t>{100, 101, 102, 103, 9, -5}));
  EXPECT_EQ(first_of(positions, 0, 6), (std::vector<int32_t>{6, 7, 8, 9, 23, -5}));
  EXPECT_EQ(first_of(slots, 0, 6), (std::vector<int64_t>{566, 567, 568, 569, 727, -5}));
  EXPECT_EQ(first_of(slots, kMaxTokens, 6), (std::vector<int64_t>{646, 647, 648, 649, 735, -5}));
  EXPECT_EQ(first_of(query_start, 0, 4), (std::vector<int32_t>{0, 4, 5, -5}));
  EXPECT_EQ(first_of(context_len, 0, 3), (std::vector<int32_t>{10, 24, -5}));
  EXPECT_EQ(first_of(table_rows, 0, 3), (std::vector<int32_t>{4, 1, -5}));
  EXPECT_EQ(shared_blocks.values(), (std::vector<int32_t>{0, 5, -5, -5, 0, 6, -5, -5}));
}

}  // namespace
}  // namespace caravel::kernels
