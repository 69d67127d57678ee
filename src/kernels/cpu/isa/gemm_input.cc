#include "kernels/cpu/isa/input_row.h"
#include "kernels/cpu/quantize_input_args.h"

namespace caravel::kernels::CARAVEL_ISA {

void quantize_input(const QuantizeInputArgs& args, int rank, int size) {
  const int64_t end = args.tokens * (rank + 1) / size;
  for (int64_t t = args.tokens * rank / size; t < end; ++t) store_input_row(args.out, t, args.x + t * args.out.width);
}

}  // namespace caravel::kernels::CARAVEL_ISA
