#include "kernels/expert_rows.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/dispatch.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(spread_rows, SpreadRowsArgs)
CARAVEL_CPU_KERNEL(join_rows, JoinRowsArgs)

namespace cpu {

void spread_rows(Stream& stream, const SpreadRowsArgs& args) {
  check_f32(args.x, args.table.tokens, args.out.width);
  check_output(args.out, args.table.row_count(), args.out.width);
  enqueue_spread_rows(stream, args);
}

void join_rows(Stream& stream, const JoinRowsArgs& args) {
  check_f32(args.out, args.table.tokens, args.out.width);
  check_f32(args.rows, args.table.row_count(), args.out.width);
  if (args.shared.data != nullptr) check_f32(args.shared, args.table.tokens, args.out.width);
  if (args.shared_gate.data != nullptr) check_f32(args.shared_gate, args.table.tokens, 1);
  enqueue_join_rows(stream, args);
  next_norm(stream, args.out, args.next);
}

}  // namespace cpu
}  // namespace caravel::kernels
