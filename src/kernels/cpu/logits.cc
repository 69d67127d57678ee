#include "kernels/logits.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/dispatch.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(scale_logits, ScaleLogitsArgs)
CARAVEL_CPU_KERNEL(soft_cap, SoftCapArgs)
CARAVEL_CPU_KERNEL(log_sum_exp, LogSumExpArgs)
CARAVEL_CPU_KERNEL(top_k, TopKArgs)
CARAVEL_CPU_KERNEL(token_rank, RankArgs)

namespace cpu {

void scale_logits(Stream& stream, const ScaleLogitsArgs& args) {
  check_f32(args.logits, 0, args.logits.stride);  // the elements are shared out, not the rows
  enqueue_scale_logits(stream, args);
}

void soft_cap(Stream& stream, const SoftCapArgs& args) {
  CARAVEL_CHECK_GT(args.cap, 0.0F);
  check_f32(args.logits, 0, args.logits.stride);  // as above
  enqueue_soft_cap(stream, args);
}

void log_sum_exp(Stream& stream, const LogSumExpArgs& args) {
  CARAVEL_CHECK_GT(args.logits.width, 0);
  check_f32(args.logits);
  enqueue_log_sum_exp(stream, args);
}

void top_k(Stream& stream, const TopKArgs& args) {
  CARAVEL_CHECK_GE(args.k, 1);
  CARAVEL_CHECK_LE(args.k, args.logits.width);
  check_f32(args.logits);
  enqueue_top_k(stream, args);
}

void token_rank(Stream& stream, const RankArgs& args) {
  check_f32(args.logits);
  enqueue_token_rank(stream, args);
}

}  // namespace cpu
}  // namespace caravel::kernels
