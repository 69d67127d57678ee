#include "kernels/cuda/attention_by_head.cuh"

namespace caravel::kernels::cuda {

void attend_f16(Stream& stream, const AttentionParams& params, const AttentionGrids& grids) {
  launch_for_head<F16Elements>(stream, params, grids);
}

}  // namespace caravel::kernels::cuda
