#include "kernels/layer_norm.h"

#include "base/check.h"
#include "kernels/cpu/dispatch.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(layer_norm, LayerNormArgs)

void layer_norm(Stream& stream, const LayerNormArgs& args) {
  if (args.copy.width != 0) CARAVEL_CHECK_EQ(args.copy.width, args.width);
  CpuStream& cpu = as_cpu(stream);
  cpu.enqueue(cpu_kernel_layer_norm(cpu.device().isa()), args);
}

}  // namespace caravel::kernels
