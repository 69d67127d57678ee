#include "kernels/cuda/attention_kernels.cuh"
#include "kernels/cuda/attention_mma_tile.cuh"

namespace caravel::kernels::cuda {

void attend_f16(Stream& stream, const AttentionParams& params, const AttentionGrids& grids) {
  launch_for_head<Half, AttentionMmaTile>(stream, params, grids);
}

}  // namespace caravel::kernels::cuda
