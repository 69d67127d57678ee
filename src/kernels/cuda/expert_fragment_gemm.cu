#include "kernels/cuda/fragment_gemm.cuh"

namespace caravel::kernels::cuda {

void expert_fragment_gemm(Stream& stream, const GemmTask& task) { enqueue_fragments<true>(stream, task); }

}  // namespace caravel::kernels::cuda
