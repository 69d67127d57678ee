#include "kernels/rms_norm.h"

#include "kernels/cpu/dispatch.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(rms_norm, RmsNormArgs)
CARAVEL_CPU_KERNEL(add_norm, AddNormArgs)

void rms_norm(Stream& stream, const RmsNormArgs& args) {
  CARAVEL_CHECK_EQ(args.out.width, args.width);
  CpuStream& cpu = as_cpu(stream);
  cpu.enqueue(cpu_kernel_rms_norm(cpu.device().isa()), args, args.out.copy_bytes == 0);
}

void add_norm(Stream& stream, const AddNormArgs& args) {
  CpuStream& cpu = as_cpu(stream);
  cpu.enqueue(cpu_kernel_add_norm(cpu.device().isa()), args);
}

}  // namespace caravel::kernels
