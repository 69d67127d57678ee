#include "kernels/rms_norm.h"

#include "kernels/cpu/dispatch.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(rms_norm, RmsNormArgs)
CARAVEL_CPU_KERNEL(add_norm, AddNormArgs)

namespace cpu {

void rms_norm(Stream& stream, const RmsNormArgs& args) {
  CARAVEL_CHECK_EQ(args.out.width, args.width);
  enqueue_rms_norm(stream, args, args.out.copy_bytes == 0);
}

void add_norm(Stream& stream, const AddNormArgs& args) { enqueue_add_norm(stream, args); }

}  // namespace cpu
}  // namespace caravel::kernels
