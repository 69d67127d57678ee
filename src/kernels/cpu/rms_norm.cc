#include "kernels/rms_norm.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/dispatch.h"
#include "kernels/cpu/input_planes.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(rms_norm, RmsNormArgs)
CARAVEL_CPU_KERNEL(add_norm, AddNormArgs)

namespace cpu {

void rms_norm(Stream& stream, const RmsNormArgs& args) {
  check_f32(args.x, args.rows == nullptr ? args.out.tokens : 0, args.out.width);
  // Ranks that each make their own do not wait for one another: the next op is the GEMM that reads it, and writes no x.
  enqueue_rms_norm(stream, args, !is_each_ranks_own(args.out));
}

void add_norm(Stream& stream, const AddNormArgs& args) {
  check_f32(args.residual, args.y.rows, args.y.width);
  check_f32(args.y, args.residual.rows, args.residual.width);
  enqueue_add_norm(stream, args);
  next_norm(stream, args.residual, args.next);
}

}  // namespace cpu
}  // namespace caravel::kernels
