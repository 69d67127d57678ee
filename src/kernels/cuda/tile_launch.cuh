#pragma once

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "device/cuda/cuda_device.h"
#include "device/cuda/launch.h"
#include "kernels/cuda/tensor_map.h"
#include "kernels/cuda/tile_args.cuh"

namespace caravel::kernels::cuda {

struct TileLaunch {
  TileArgs args;
  LaunchShape shape;
};

inline TokenLoad token_load(const GemmTask& task) {
  if (task.table == nullptr) return {.tokens = task.input.tokens};
  return {.tokens = task.table->tokens, .experts = task.table->experts, .per_token = task.table->per_token};
}

/// What tile_gemm() and fragment_gemm() have in common.
inline TileLaunch tile_launch(Stream& stream, const GemmTask& task) {
  const PackedWeight& weight = *task.weight;
  const CudaDevice& device = as_cuda(stream).device();
  CARAVEL_CHECK(task.input.form == InputForm::kBf16);
  CARAVEL_CHECK_EQ(reinterpret_cast<uintptr_t>(task.input.data) % 64, uintptr_t{0});
  const TokenLoad load = token_load(task);
  TileLaunch tiles{.args = {.paired = task.use == GemmUse::kGated,
                            .blocks = static_cast<int>(input_blocks(weight.in())),
                            .tokens = static_cast<int>(load.tokens),
                            .experts = expert_rows(task),
                            .output = gemm_output(task)}};
  TileArgs& args = tiles.args;
  args.plan = plan_tiles(weight.parts(), weight.in(), load, args.paired, device.num_sms(),
                         static_cast<int>(device.max_shared_bytes()));
  for (size_t i = 0; i < weight.parts().size(); ++i) args.parts[i] = tile_part(weight, i);
  tiles.shape.grid = dim3(static_cast<unsigned>(std::min(args.plan.tiles(), device.num_sms())));
  tiles.shape.block = dim3(static_cast<unsigned>(args.plan.threads()));
  tiles.shape.shared_bytes = static_cast<size_t>(args.plan.shared_bytes);
  tiles.shape.early = true;
  return tiles;
}

/// A tensor of a part as it lies in memory, in words of 8 bytes, from the innermost dimension out. The largest words
/// make the fewest elements, whatever a weight's type.
struct StackShape {
  std::vector<int64_t> sizes;
  std::vector<int64_t> strides;  // bytes, of all dimensions but the first
  std::vector<int> box;
};

/// What boxes of a part are copied from; of experts, of which there are none where a weight is one matrix, with their
/// number as the last dimension.
inline CUtensorMap stack_map(int experts, const TilePart& part, StackShape shape) {
  if (experts > 0) {
    shape.sizes.push_back(experts);
    shape.strides.push_back(part.expert_bytes);
    shape.box.push_back(1);
  }
  return tensor_map(CU_TENSOR_MAP_DATA_TYPE_INT64, CU_TENSOR_MAP_SWIZZLE_NONE, part.data, shape.sizes, shape.strides,
                    shape.box);
}

/// Part `i`, by boxes of `box_units` units of `box_groups` groups.
inline CUtensorMap units_map(const TileArgs& args, size_t i, int box_units, int box_groups) {
  const TilePart& part = args.parts[i];
  const int words = part.format.unit_bytes / 8;
  return stack_map(args.experts.count, part,
                   {.sizes = {words, part.group_bytes / part.format.unit_bytes, part.groups},
                    .strides = {part.format.unit_bytes, part.group_bytes},
                    .box = {words, box_units, box_groups}});
}

}  // namespace caravel::kernels::cuda
