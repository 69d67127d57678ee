#include "kernels/layer_norm.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/dispatch.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(layer_norm, LayerNormArgs)

namespace cpu {

void layer_norm(Stream& stream, const LayerNormArgs& args) {
  check_f32(args.x, args.out.rows, args.out.width);
  check_f32(args.out, args.out.rows, args.out.width);
  if (args.copy.data != nullptr) check_output(args.copy, args.out.rows, args.out.width);
  enqueue_layer_norm(stream, args);
}

}  // namespace cpu
}  // namespace caravel::kernels
