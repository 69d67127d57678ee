#pragma once

#include <cuda.h>

#include <cstdint>

#include "kernels/cuda/epilogue.cuh"
#include "kernels/cuda/expert_list.cuh"
#include "kernels/cuda/tile_plan.h"

namespace caravel::kernels::cuda {

struct TilePart {
  const uint8_t* data;
  int64_t group_bytes;
  int groups;
  int rows;
  int first_row;  // of the stack
  DType dtype;
  TileFormat format;
  const float* row_scales;  // of F8_E4M3, as groups lie: what the rows' sums are multiplied by; else nullptr
  GroupOrder order;
  int64_t expert_bytes;  // from one expert's part to the next one's

  /// Of an expert's row, or one past the last, which is never stored.
  __device__ float scale_of(int expert, int row) const {
    if (row_scales == nullptr) return 1.0F;
    return row_scales[expert * (expert_bytes / static_cast<int64_t>(sizeof(float))) + min(row, rows - 1)];
  }
};

inline TilePart tile_part(const PackedWeight& weight, size_t i) {
  const PackedWeight::Part& part = weight.parts()[i];
  const auto* const data = reinterpret_cast<const uint8_t*>(weight.data()) + part.offset;
  return {.data = data,
          .group_bytes = group_bytes(part.dtype, weight.in()),
          .groups = static_cast<int>(row_groups(part.rows)),
          .rows = static_cast<int>(part.rows),
          .first_row = static_cast<int>(part.out_begin),
          .dtype = part.dtype,
          .format = tile_format(part.dtype),
          .row_scales = row_scales_of(data, part, weight.in()),
          .order = group_order(part.heads, part.dtype),
          .expert_bytes = static_cast<int64_t>(weight.expert_bytes())};
}

struct TileArgs {
  TilePlan plan;
  TilePart parts[PackedWeight::kMaxParts];
  bool paired;
  int blocks;  // of 64 inputs
  int tokens;  // that a matrix has, at most
  ExpertRows experts;
  // What a tile's sums are added to comes by so many slots of the ring, behind its inputs, of so many tokens each; 0:
  // the epilogue reads it.
  int added_slots;
  int added_tokens;
  GemmOutput output;
};

/// What boxes are copied from.
struct TileMaps {
  CUtensorMap input;
  // [group, unit, its bytes]; in turn: the first is of both parts: [group, part, unit, its bytes]. Of experts: of each.
  CUtensorMap weights[PackedWeight::kMaxParts];
  CUtensorMap added;  // rows of f32
};

/// A warpgroup's part of a tile.
struct Rows {
  const TilePart* part;
  int first_group;
  int groups;  // that there are, from there on

  /// Of those in these groups: the part's rows are whole groups but for the last.
  __device__ int count() const { return min(groups * kGroupRows, part->rows - first_group * kGroupRows); }
  /// Which row of the stack the i-th is.
  __device__ int row(int i) const {
    return part->first_row + part->order.rows_at(first_group + i / kGroupRows) * kGroupRows + i % kGroupRows;
  }
};

__device__ inline Rows rows_of_tile(const TileArgs& args, int row_tile, int warpgroup) {
  const TilePlan& plan = args.plan;
  int part = 0;
  int first = row_tile * plan.groups;
  int most = plan.groups;
  if (args.paired && !plan.in_turn) {
    part = warpgroup;
  } else if (args.paired) {
    first += warpgroup * kGroupPairs;
    most = min(kGroupPairs, plan.groups - warpgroup * kGroupPairs);
  } else {
    while (row_tile >= plan.part_tiles[part]) row_tile -= plan.part_tiles[part++];
    first = (row_tile * plan.warpgroups + warpgroup) * plan.groups;
  }
  return {&args.parts[part], first, max(0, min(most, args.parts[part].groups - first))};
}

}  // namespace caravel::kernels::cuda
