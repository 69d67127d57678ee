#include <cuda_bf16.h>

#include <algorithm>

#include "base/check.h"
#include "caravel/error.h"
#include "device/cuda/launch.cuh"
#include "kernels/cuda/normed_rows.h"
#include "kernels/gemm_input.h"

namespace caravel::kernels::cuda {
namespace {

template <typename From>
__global__ void write_input(const From* from, int64_t stride, int64_t width, int64_t count, void* to, bool bf16) {
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    const auto value = static_cast<float>(from[i / width * stride + i % width]);
    if (bf16) {
      static_cast<__nv_bfloat16*>(to)[i] = __float2bfloat16_rn(value);
    } else {
      static_cast<float*>(to)[i] = value;
    }
  }
}

}  // namespace

size_t gemm_input_bytes(InputForm form, int64_t tokens, int64_t width) {
  if (form != InputForm::kF32 && form != InputForm::kBf16) {
    throw Unsupported("CUDA's kernels read inputs of f32 or BF16, none of 8 bits");
  }
  return static_cast<size_t>(tokens * width) * (form == InputForm::kF32 ? sizeof(float) : sizeof(__nv_bfloat16));
}

size_t normed_input_bytes(Device& /*device*/, InputForm form, int64_t tokens, int64_t width) {
  return normed_sums_bytes(tokens) + gemm_input_bytes(form, tokens, width);
}

void quantize_input(Stream& stream, const Tensor& x, const GemmInput& out) {
  CARAVEL_CHECK(x.dtype == DType::kF32 || x.dtype == DType::kBF16);
  CARAVEL_CHECK(out.form == InputForm::kF32 || out.form == InputForm::kBf16);
  CARAVEL_CHECK_GE(x.rows, out.tokens);
  CARAVEL_CHECK_EQ(x.width, out.width);
  CARAVEL_CHECK_GE(x.stride, x.width);
  CARAVEL_CHECK(!out.normed);
  constexpr int kThreads = 256;
  constexpr int64_t kMaxBlocks = 4096;
  const int64_t count = out.tokens * out.width;
  const dim3 grid(static_cast<unsigned>(std::min(kMaxBlocks, (count + kThreads - 1) / kThreads)));
  const bool bf16 = out.form == InputForm::kBf16;
  if (x.dtype == DType::kF32) {
    launch(stream, write_input<float>, grid, dim3(kThreads), 0, static_cast<const float*>(x.data), x.stride, x.width,
           count, out.data, bf16);
  } else {
    launch(stream, write_input<__nv_bfloat16>, grid, dim3(kThreads), 0, static_cast<const __nv_bfloat16*>(x.data),
           x.stride, x.width, count, out.data, bf16);
  }
}

}  // namespace caravel::kernels::cuda
