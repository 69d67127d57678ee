#include "kernels/cuda/fragment_gemm.cuh"

namespace caravel::kernels::cuda {

void fragment_gemm(Stream& stream, const GemmTask& task) { enqueue_fragments<false>(stream, task); }

}  // namespace caravel::kernels::cuda
