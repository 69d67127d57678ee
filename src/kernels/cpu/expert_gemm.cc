#include "kernels/expert_gemm.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/dispatch.h"
#include "kernels/cpu/expert_gemm_args.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(expert_gemm, ExpertGemmCpuArgs)
CARAVEL_CPU_KERNEL(gated_expert_gemm, GatedExpertGemmCpuArgs)

namespace cpu {
namespace {

void check_rows(const PackedWeight& weight, const GemmInput& input, const ExpertTable& table) {
  check_input(weight, input);
  CARAVEL_CHECK(!input.normed);
  CARAVEL_CHECK_EQ(input.tokens, table.row_count());
  CARAVEL_CHECK_EQ(weight.experts(), table.experts);
}

}  // namespace

void gated_expert_gemm(Stream& stream, const GatedExpertGemmArgs& args) {
  const PackedWeight& weight = *args.weight;
  check_rows(weight, args.input, args.table);
  check_gated(weight, args.out, args.input.tokens);
  enqueue_gated_expert_gemm(stream, {.gate = packed_part(weight, weight.parts()[0]),
                                     .up = packed_part(weight, weight.parts()[1]),
                                     .expert_bytes = static_cast<int64_t>(weight.expert_bytes()),
                                     .input = args.input,
                                     .row_begin = args.table.row_begin,
                                     .experts = args.table.experts,
                                     .bias = args.bias,
                                     .activation = args.activation,
                                     .out = args.out});
}

void expert_gemm(Stream& stream, const ExpertGemmArgs& args) {
  const PackedWeight& weight = *args.weight;
  check_rows(weight, args.input, args.table);
  check_f32(args.out, args.input.tokens, weight.out());
  ExpertGemmCpuArgs flat{.part_count = 0,
                         .expert_bytes = static_cast<int64_t>(weight.expert_bytes()),
                         .input = args.input,
                         .row_begin = args.table.row_begin,
                         .experts = args.table.experts,
                         .bias = args.bias,
                         .out = static_cast<float*>(args.out.data),
                         .out_width = weight.out(),
                         .out_stride = args.out.stride};
  for (const PackedWeight::Part& part : weight.parts()) flat.parts[flat.part_count++] = packed_part(weight, part);
  enqueue_expert_gemm(stream, flat);
}

}  // namespace cpu
}  // namespace caravel::kernels
