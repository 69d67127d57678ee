#include "kernels/gemm.h"

#include "base/check.h"
#include "kernels/cpu/dispatch.h"
#include "kernels/cpu/gemm_args.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(gemm, GemmCpuArgs)
CARAVEL_CPU_KERNEL(gated_gemm, GatedGemmCpuArgs)
CARAVEL_CPU_KERNEL(activated_gemm, ActivatedGemmCpuArgs)

namespace cpu {

void gemm(Stream& stream, const GemmArgs& args) {
  const PackedWeight& weight = *args.weight;
  CARAVEL_CHECK_EQ(static_cast<int>(args.input.form), static_cast<int>(weight.input_form()));
  CARAVEL_CHECK_EQ(args.input.width, weight.in());
  CARAVEL_CHECK_GE(args.out_stride, weight.out());
  GemmCpuArgs flat{.part_count = 0,
                   .in = weight.in(),
                   .input = args.input,
                   .tokens = args.tokens,
                   .out = args.out,
                   .out_stride = args.out_stride,
                   .bias = args.bias,
                   .accumulate = args.accumulate};
  for (const PackedWeight::Part& part : weight.parts()) flat.parts[flat.part_count++] = packed_part(weight, part);
  enqueue_gemm(stream, flat);
}

void gated_gemm(Stream& stream, const GatedGemmArgs& args) {
  const PackedWeight& weight = *args.weight;
  CARAVEL_CHECK_EQ(static_cast<int>(args.input.form), static_cast<int>(weight.input_form()));
  CARAVEL_CHECK_EQ(args.input.width, weight.in());
  CARAVEL_CHECK_EQ(args.out.width, args.width);
  CARAVEL_CHECK_EQ(weight.parts().size(), size_t{2});
  CARAVEL_CHECK_EQ(weight.parts()[0].rows, args.width);
  CARAVEL_CHECK_EQ(weight.parts()[1].rows, args.width);
  const GatedGemmCpuArgs flat{packed_part(weight, weight.parts()[0]),
                              packed_part(weight, weight.parts()[1]),
                              weight.in(),
                              args.input,
                              args.bias,
                              args.activation,
                              args.tokens,
                              args.width,
                              args.out};
  enqueue_gated_gemm(stream, flat);
}

void activated_gemm(Stream& stream, const ActivatedGemmArgs& args) {
  const PackedWeight& weight = *args.weight;
  CARAVEL_CHECK_EQ(static_cast<int>(args.input.form), static_cast<int>(weight.input_form()));
  CARAVEL_CHECK_EQ(args.input.width, weight.in());
  CARAVEL_CHECK_EQ(args.out.width, args.width);
  CARAVEL_CHECK_EQ(weight.parts().size(), size_t{1});
  CARAVEL_CHECK_EQ(weight.out(), args.width);
  const ActivatedGemmCpuArgs flat{packed_part(weight, weight.parts()[0]),
                                  weight.in(),
                                  args.input,
                                  args.bias,
                                  args.activation,
                                  args.tokens,
                                  args.width,
                                  args.out};
  enqueue_activated_gemm(stream, flat);
}

}  // namespace cpu
}  // namespace caravel::kernels
