#include "kernels/expert_table.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/dispatch.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(choose_experts, ChooseExpertsArgs)
CARAVEL_CPU_KERNEL(sort_by_expert, ExpertTable)

namespace cpu {

void choose_experts(Stream& stream, const ChooseExpertsArgs& args) {
  check_rule(args.rule, args.table);
  check_f32(args.logits);
  CARAVEL_CHECK_GE(args.logits.rows, args.table.tokens);
  CARAVEL_CHECK_GE(args.logits.width, int64_t{args.rule.experts});
  enqueue_choose_experts(stream, args);
}

void sort_by_expert(Stream& stream, const ExpertTable& table) {
  CARAVEL_CHECK_LE(table.experts, kMaxExperts);
  enqueue_sort_by_expert(stream, table);
}

}  // namespace cpu
}  // namespace caravel::kernels
