#include "kernels/gemm.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/dispatch.h"
#include "kernels/cpu/gemm_args.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(gemm, GemmCpuArgs)
CARAVEL_CPU_KERNEL(gated_gemm, GatedGemmCpuArgs)
CARAVEL_CPU_KERNEL(activated_gemm, ActivatedGemmCpuArgs)

namespace cpu {

DType product_dtype() { return DType::kF32; }

void gemm(Stream& stream, const GemmArgs& args) {
  const PackedWeight& weight = *args.weight;
  check_input(weight, args.input);
  check_f32(args.out, args.input.tokens, weight.out());
  GemmCpuArgs flat{.part_count = 0,
                   .input = args.input,
                   .bias = args.bias,
                   .accumulate = args.accumulate,
                   .out = static_cast<float*>(args.out.data),
                   .out_stride = args.out.stride};
  for (const PackedWeight::Part& part : weight.parts()) flat.parts[flat.part_count++] = packed_part(weight, part);
  enqueue_gemm(stream, flat);
  next_norm(stream, args.out, args.next);
}

void gated_gemm(Stream& stream, const GatedGemmArgs& args) {
  const PackedWeight& weight = *args.weight;
  check_input(weight, args.input);
  check_gated(weight, args.out, args.input.tokens);
  enqueue_gated_gemm(stream, {packed_part(weight, weight.parts()[0]), packed_part(weight, weight.parts()[1]),
                              args.input, args.bias, args.activation, args.out});
}

void activated_gemm(Stream& stream, const ActivatedGemmArgs& args) {
  const PackedWeight& weight = *args.weight;
  check_input(weight, args.input);
  CARAVEL_CHECK_EQ(weight.parts().size(), size_t{1});
  check_output(args.out, args.input.tokens, weight.out());
  enqueue_activated_gemm(stream,
                         {packed_part(weight, weight.parts()[0]), args.input, args.bias, args.activation, args.out});
}

}  // namespace cpu
}  // namespace caravel::kernels
