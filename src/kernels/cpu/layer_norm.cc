#include "kernels/layer_norm.h"

#include "base/check.h"
#include "kernels/cpu/dispatch.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(layer_norm, LayerNormArgs)

namespace cpu {

void layer_norm(Stream& stream, const LayerNormArgs& args) {
  if (args.copy.width != 0) CARAVEL_CHECK_EQ(args.copy.width, args.width);
  enqueue_layer_norm(stream, args);
}

}  // namespace cpu
}  // namespace caravel::kernels
