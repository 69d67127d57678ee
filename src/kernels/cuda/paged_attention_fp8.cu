#include "kernels/cuda/attention_by_head.cuh"

namespace caravel::kernels::cuda {

void attend_fp8(Stream& stream, const AttentionParams& params, const AttentionGrids& grids) {
  launch_for_head<Fp8Elements>(stream, params, grids);
}

}  // namespace caravel::kernels::cuda
