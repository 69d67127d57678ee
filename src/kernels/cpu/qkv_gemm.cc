#include "kernels/qkv_gemm.h"

#include "kernels/gemm.h"

namespace caravel::kernels::cpu {

void qkv_gemm(Stream& stream, const QkvGemmArgs& args) {
  gemm(stream, {.weight = args.weight, .input = args.input, .bias = args.bias, .out = args.rotary.qkv});
  stream.region("rotary, cache");
  kernels::rotary_cache(stream, args.rotary);
}

}  // namespace caravel::kernels::cpu
