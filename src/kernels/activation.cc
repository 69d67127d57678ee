#include "kernels/activation.h"

#include "kernels/cpu/dispatch.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(gated_activation, GatedActivationArgs)

void gated_activation(Stream& stream, const GatedActivationArgs& args) {
  CARAVEL_CHECK_EQ(args.out.width, args.width);
  CpuStream& cpu = as_cpu(stream);
  cpu.enqueue(cpu_kernel_gated_activation(cpu.device().isa()), args);
}

}  // namespace caravel::kernels
