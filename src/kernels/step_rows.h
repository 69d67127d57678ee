#pragma once

#include <cstdint>

#include "device/device.h"

namespace caravel::kernels {

/// An entry of a sequence's block table, in one KV group; it holds until it is told anew.
struct TableEntry {
  int32_t slot = 0;  // the sequence's
  int32_t group = 0;
  int32_t index = 0;
  int32_t block = 0;
};

/// Positions first .. first + count - 1 of the sequence whose tables stand in `slot`.
struct StepRow {
  int32_t slot = 0;
  int32_t first = 0;
  int32_t count = 0;
};

/// An input token that is not known yet: what a sampler's slot drew last, in a step before.
constexpr int32_t last_draw_of(int32_t sampler) { return ~sampler; }

/// All sequences' block tables.
struct BlockTables {
  int32_t* blocks = nullptr;  // [groups, slots, stride]
  int groups = 0;
  int64_t slots = 0;
  int64_t stride = 0;  // blocks of the longest sequence
  int block_size = 16;
};

struct TableEntriesArgs {
  const TableEntry* entries = nullptr;  // [count], no place twice
  int64_t count = 0;
  BlockTables tables;
};
void write_table_entries(Stream& stream, const TableEntriesArgs& args);

struct StepRowsArgs {
  const StepRow* rows = nullptr;        // [num_rows]
  const int32_t* tokens = nullptr;      // of the rows, one after the other: ids, or last_draw_of()
  const int32_t* shared = nullptr;      // [groups, num_rows]: see AttentionBatch::shared_blocks
  const int32_t* last_draws = nullptr;  // by sampler's slot
  int num_rows = 0;
  BlockTables tables;
  // Out: what the ops of a step read (ForwardBatch), in arrays of the largest step.
  int64_t max_tokens = 0;
  int64_t max_rows = 0;
  int32_t* token_ids = nullptr;      // [max_tokens]
  int32_t* positions = nullptr;      // [max_tokens]
  int64_t* slots = nullptr;          // [groups, max_tokens]: block * block_size + offset
  int32_t* query_start = nullptr;    // [max_rows + 1]
  int32_t* context_len = nullptr;    // [max_rows]
  int32_t* table_rows = nullptr;     // [max_rows]
  int32_t* shared_blocks = nullptr;  // [groups, max_rows]
};
/// Works out a step's arrays from its rows, as the tables stand.
void step_rows(Stream& stream, const StepRowsArgs& args);

}  // namespace caravel::kernels
