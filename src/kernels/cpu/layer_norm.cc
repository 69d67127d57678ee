#include "kernels/layer_norm.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/dispatch.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(layer_norm, LayerNormArgs)

namespace cpu {

void layer_norm(Stream& stream, const LayerNormArgs& args) {
  const bool writes = args.out.data != nullptr;
  const int64_t tokens = writes ? args.out.rows : args.copy.tokens;
  const int64_t width = writes ? args.out.width : args.copy.width;
  CARAVEL_CHECK(writes || args.table == nullptr);
  check_f32(args.x, args.rows == nullptr ? tokens : 0, width);
  if (writes) check_f32(args.out, tokens, width);
  if (args.copy.data != nullptr) check_output(args.copy, tokens, width);
  enqueue_layer_norm(stream, args);
}

}  // namespace cpu
}  // namespace caravel::kernels
