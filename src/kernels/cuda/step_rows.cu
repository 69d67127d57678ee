#include "kernels/cuda/common.cuh"
#include "kernels/step_rows.h"

namespace caravel::kernels::cuda {

void write_table_entries(Stream& stream, const TableEntriesArgs& args);
void step_rows(Stream& stream, const StepRowsArgs& args);

namespace {

constexpr int kStepThreads = 256;

__device__ int32_t* table_of(const BlockTables& tables, int64_t group, int64_t slot) {
  return tables.blocks + (group * tables.slots + slot) * tables.stride;
}

__global__ void __launch_bounds__(kStepThreads) write_entries(TableEntriesArgs args) {
  follow_kernel_before();
  const int64_t i = int64_t{blockIdx.x} * kStepThreads + threadIdx.x;
  if (i >= args.count) return;
  const TableEntry entry = args.entries[i];
  table_of(args.tables, entry.group, entry.slot)[entry.index] = entry.block;
}

/// starts [num_rows + 1]: where the rows' tokens begin. By the first warp; all wait for it.
__device__ void sum_counts(const StepRowsArgs& args, int32_t* starts) {
  if (threadIdx.x < kWarp) {
    const int lane = static_cast<int>(threadIdx.x);
    int32_t before = 0;
    for (int first = 0; first < args.num_rows; first += kWarp) {
      const int r = first + lane;
      int32_t sum = r < args.num_rows ? args.rows[r].count : 0;
#pragma unroll
      for (int apart = 1; apart < kWarp; apart *= 2) {
        const int32_t other = __shfl_up_sync(kAllLanes, sum, apart);
        if (lane >= apart) sum += other;
      }
      if (r < args.num_rows) starts[r + 1] = before + sum;
      before += __shfl_sync(kAllLanes, sum, kWarp - 1);
    }
    if (lane == 0) starts[0] = 0;
  }
  __syncthreads();
}

/// Each block finds out where rows begin, and fills in its share of the tokens; the first one the rows, too.
__global__ void __launch_bounds__(kStepThreads) fill_step(StepRowsArgs args) {
  follow_kernel_before();
  extern __shared__ int32_t starts[];  // [num_rows + 1]
  sum_counts(args, starts);
  if (blockIdx.x == 0) {
    for (int r = static_cast<int>(threadIdx.x); r <= args.num_rows; r += kStepThreads) {
      args.query_start[r] = starts[r];
      if (r == args.num_rows) break;
      const StepRow row = args.rows[r];
      args.context_len[r] = row.first + row.count;
      args.table_rows[r] = row.slot;
      for (int64_t g = 0; g < args.tables.groups; ++g) {
        args.shared_blocks[g * args.max_rows + r] = args.shared[g * args.num_rows + r];
      }
    }
  }
  const int64_t t = int64_t{blockIdx.x} * kStepThreads + threadIdx.x;
  if (t >= starts[args.num_rows] || t >= args.max_tokens) return;
  int low = 0;  // starts[low] <= t < starts[high]
  int high = args.num_rows;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (starts[middle] <= t) {
      low = middle;
    } else {
      high = middle;
    }
  }
  const StepRow row = args.rows[low];
  const int32_t position = row.first + static_cast<int32_t>(t) - starts[low];
  const int32_t id = args.tokens[t];
  args.token_ids[t] = id >= 0 ? id : args.last_draws[~id];
  args.positions[t] = position;
  for (int64_t g = 0; g < args.tables.groups; ++g) {
    const int32_t block = table_of(args.tables, g, row.slot)[position / args.tables.block_size];
    args.slots[g * args.max_tokens + t] = int64_t{block} * args.tables.block_size + position % args.tables.block_size;
  }
}

}  // namespace

void write_table_entries(Stream& stream, const TableEntriesArgs& args) {
  launch_early(stream, write_entries, dim3(blocks_for(args.count, kStepThreads)), dim3(kStepThreads), 0, args);
}

void step_rows(Stream& stream, const StepRowsArgs& args) {
  CARAVEL_CHECK_LE(args.num_rows, args.max_rows);
  const unsigned blocks = blocks_for(args.max_tokens, kStepThreads);
  launch_early(stream, fill_step, dim3(blocks > 0 ? blocks : 1), dim3(kStepThreads),
         (static_cast<size_t>(args.num_rows) + 1) * sizeof(int32_t), args);
}

}  // namespace caravel::kernels::cuda
