#pragma once

#include <algorithm>

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

/// What tile_gemm() and fragment_gemm() have in common.
inline TileLaunch tile_launch(Stream& stream, const GemmTask& task) {
  const PackedWeight& weight = *task.weight;
  const CudaDevice& device = as_cuda(stream).device();
  CARAVEL_CHECK(task.input.form == InputForm::kBf16);
  CARAVEL_CHECK_EQ(reinterpret_cast<uintptr_t>(task.input.data) % 64, uintptr_t{0});
  TileLaunch tiles{.args = {.paired = task.use == GemmUse::kGated,
                            .blocks = static_cast<int>(input_blocks(weight.in())),
                            .tokens = static_cast<int>(task.input.tokens),
                            .output = gemm_output(task)}};
  TileArgs& args = tiles.args;
  args.plan = plan_tiles(weight.parts(), weight.in(), task.input.tokens, args.paired, device.num_sms(),
                         static_cast<int>(device.max_shared_bytes()));
  for (size_t i = 0; i < weight.parts().size(); ++i) args.parts[i] = tile_part(weight, i);
  tiles.shape.grid = dim3(static_cast<unsigned>(std::min(args.plan.tiles(), device.num_sms())));
  tiles.shape.block = dim3(static_cast<unsigned>(args.plan.threads()));
  tiles.shape.shared_bytes = static_cast<size_t>(args.plan.shared_bytes);
  tiles.shape.early = true;
  return tiles;
}

/// A part, by boxes of `box_units` units of `box_groups` groups: as they lie in memory, so elements may be of any type,
/// and the largest takes the fewest.
inline CUtensorMap units_map(const TilePart& part, int box_units, int box_groups) {
  const int words = part.format.unit_bytes / 8;
  return tensor_map(CU_TENSOR_MAP_DATA_TYPE_INT64, CU_TENSOR_MAP_SWIZZLE_NONE, part.data,
                    {words, part.group_bytes / part.format.unit_bytes, part.groups},
                    {part.format.unit_bytes, part.group_bytes}, {words, box_units, box_groups});
}

}  // namespace caravel::kernels::cuda
