#include "kernels/cpu/isa/input_row.h"
#include "kernels/cpu/quantize_input_args.h"

namespace caravel::kernels::CARAVEL_ISA {

void quantize_input(const QuantizeInputArgs& args, int rank, int size) {
  const InputPlanes out = input_planes(args.out, rank);
  const int64_t end = args.out.tokens * (rank + 1) / size;
  for (int64_t t = args.out.tokens * rank / size; t < end; ++t) {
    store_input_row(out, t, static_cast<const float*>(args.x.data) + t * args.x.stride);
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
