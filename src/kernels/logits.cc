#include "kernels/logits.h"

#include "kernels/cpu/dispatch.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(soft_cap, SoftCapArgs)
CARAVEL_CPU_KERNEL(log_sum_exp, LogSumExpArgs)
CARAVEL_CPU_KERNEL(top_k, TopKArgs)
CARAVEL_CPU_KERNEL(token_rank, RankArgs)

void soft_cap(Stream& stream, const SoftCapArgs& args) {
  CARAVEL_CHECK_GT(args.cap, 0.0F);
  CpuStream& cpu = as_cpu(stream);
  cpu.enqueue(cpu_kernel_soft_cap(cpu.device().isa()), args);
}

void log_sum_exp(Stream& stream, const LogSumExpArgs& args) {
  CARAVEL_CHECK_GT(args.width, 0);
  CpuStream& cpu = as_cpu(stream);
  cpu.enqueue(cpu_kernel_log_sum_exp(cpu.device().isa()), args);
}

void top_k(Stream& stream, const TopKArgs& args) {
  CARAVEL_CHECK_GE(args.k, 1);
  CARAVEL_CHECK_LE(args.k, args.width);
  CpuStream& cpu = as_cpu(stream);
  cpu.enqueue(cpu_kernel_top_k(cpu.device().isa()), args);
}

void token_rank(Stream& stream, const RankArgs& args) {
  CpuStream& cpu = as_cpu(stream);
  cpu.enqueue(cpu_kernel_token_rank(cpu.device().isa()), args);
}

}  // namespace caravel::kernels
