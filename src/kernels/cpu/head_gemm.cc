#include "kernels/head_gemm.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/dispatch.h"
#include "kernels/cpu/head_gemm_args.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(head_gemm, HeadGemmCpuArgs)

namespace cpu {

void head_gemm(Stream& stream, const HeadGemmArgs& args) {
  const PackedWeight& weight = *args.weight;
  CARAVEL_CHECK(args.input.form == weight.input_form() && !args.input.normed);
  CARAVEL_CHECK_EQ(args.input.width, weight.experts() * weight.in());
  check_f32(args.out);
  CARAVEL_CHECK_GE(args.out.rows, args.input.tokens);
  CARAVEL_CHECK_GE(args.head_stride, weight.out());
  CARAVEL_CHECK_GE(args.out.width, (weight.experts() - 1) * args.head_stride + weight.out());
  HeadGemmCpuArgs flat{.part_count = 0,
                       .head_bytes = static_cast<int64_t>(weight.expert_bytes()),
                       .heads = weight.experts(),
                       .in = weight.in(),
                       .input = args.input,
                       .out = static_cast<float*>(args.out.data),
                       .out_stride = args.out.stride,
                       .head_stride = args.head_stride};
  for (const PackedWeight::Part& part : weight.parts()) flat.parts[flat.part_count++] = packed_part(weight, part);
  enqueue_head_gemm(stream, flat);
}

}  // namespace cpu
}  // namespace caravel::kernels
