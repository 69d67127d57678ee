#include "kernels/gemm.h"

#include "base/check.h"
#include "kernels/activation.h"
#include "kernels/cpu/dispatch.h"
#include "kernels/cpu/gated_args.h"

namespace caravel::kernels {
namespace {

PackedPart packed_part(const PackedWeight& weight, const PackedWeight::Part& part) {
  return {reinterpret_cast<const uint8_t*>(weight.data() + part.offset), part.dtype, part.out_begin, part.rows};
}

}  // namespace

CARAVEL_CPU_KERNEL(gemm, GemmCpuArgs)

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
  CpuStream& cpu = as_cpu(stream);
  cpu.enqueue(cpu_kernel_gemm(cpu.device().isa()), flat);
}

CARAVEL_CPU_KERNEL(gated_gemm, GatedGemmCpuArgs)

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
  CpuStream& cpu = as_cpu(stream);
  cpu.enqueue(cpu_kernel_gated_gemm(cpu.device().isa()), flat);
}

CARAVEL_CPU_KERNEL(activated_gemm, ActivatedGemmCpuArgs)

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
  CpuStream& cpu = as_cpu(stream);
  cpu.enqueue(cpu_kernel_activated_gemm(cpu.device().isa()), flat);
}

CARAVEL_CPU_KERNEL(embedding, EmbeddingCpuArgs)

void embedding(Stream& stream, const EmbeddingArgs& args) {
  const PackedWeight& table = *args.table;
  CARAVEL_CHECK_EQ(table.parts().size(), size_t{1});
  const EmbeddingCpuArgs flat{
      packed_part(table, table.parts()[0]), table.in(), args.ids, args.tokens, args.scale, args.out};
  CpuStream& cpu = as_cpu(stream);
  cpu.enqueue(cpu_kernel_embedding(cpu.device().isa()), flat);
}

}  // namespace caravel::kernels
