#include "kernels/step_rows.h"

#include "device/cpu/cpu_device.h"

namespace caravel::kernels::cpu {
namespace {

int32_t* table_of(const BlockTables& tables, int64_t group, int64_t slot) {
  return tables.blocks + (group * tables.slots + slot) * tables.stride;
}

void write_share_of_entries(const TableEntriesArgs& args, int rank, int size) {
  const Range share = share_of(args.count, rank, size);
  for (int64_t i = share.begin; i < share.end; ++i) {
    const TableEntry& entry = args.entries[i];
    table_of(args.tables, entry.group, entry.slot)[entry.index] = entry.block;
  }
}

/// Row r, whose tokens begin with the step's `begin`-th.
void fill_row(const StepRowsArgs& args, int r, int32_t begin) {
  const StepRow& row = args.rows[r];
  args.context_len[r] = row.first + row.count;
  args.table_rows[r] = row.slot;
  args.query_start[r + 1] = begin + row.count;
  for (int32_t i = 0; i < row.count; ++i) {
    const int32_t id = args.tokens[begin + i];
    args.token_ids[begin + i] = id >= 0 ? id : args.last_draws[last_draw_of(id)];
    args.positions[begin + i] = row.first + i;
  }
  for (int64_t g = 0; g < args.tables.groups; ++g) {
    args.shared_blocks[g * args.max_rows + r] = args.shared[g * args.num_rows + r];
    const int32_t* const blocks = table_of(args.tables, g, row.slot);
    int64_t* const slots = args.slots + g * args.max_tokens + begin;
    for (int32_t i = 0; i < row.count; ++i) {
      const int position = row.first + i;
      slots[i] = int64_t{blocks[position / args.tables.block_size]} * args.tables.block_size +
                 position % args.tables.block_size;
    }
  }
}

void fill_share_of_rows(const StepRowsArgs& args, int rank, int size) {
  if (rank == 0) args.query_start[0] = 0;
  int32_t begin = 0;
  for (int r = 0; r < args.num_rows; ++r) {
    if (r % size == rank) fill_row(args, r, begin);
    begin += args.rows[r].count;
  }
}

}  // namespace

void write_table_entries(Stream& stream, const TableEntriesArgs& args) {
  as_cpu(stream).enqueue(write_share_of_entries, args);
}

void step_rows(Stream& stream, const StepRowsArgs& args) { as_cpu(stream).enqueue(fill_share_of_rows, args); }

}  // namespace caravel::kernels::cpu
