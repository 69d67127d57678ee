#include "kernels/expert_table.h"

#include "kernels/cpu/checks.h"
#include "kernels/cpu/dispatch.h"

namespace caravel::kernels {

CARAVEL_CPU_KERNEL(choose_experts, ChooseExpertsArgs)
CARAVEL_CPU_KERNEL(sort_by_expert, ExpertTable)

namespace cpu {

void choose_experts(Stream& stream, const ChooseExpertsArgs& args) {
  const RouterRule& rule = args.rule;
  check_f32(args.logits);
  CARAVEL_CHECK_GE(args.logits.rows, args.table.tokens);
  CARAVEL_CHECK_GE(args.logits.width, int64_t{rule.experts});
  CARAVEL_CHECK_EQ(args.table.experts, rule.experts);
  CARAVEL_CHECK_EQ(args.table.per_token, rule.per_token);
  CARAVEL_CHECK_LE(rule.experts, kMaxExperts);
  CARAVEL_CHECK_GE(rule.per_token, 1);
  CARAVEL_CHECK_LE(rule.per_token, kMaxExpertsPerToken);
  CARAVEL_CHECK_GE(rule.chosen_groups, 1);
  CARAVEL_CHECK_LE(rule.chosen_groups, rule.groups);
  CARAVEL_CHECK_EQ(rule.experts % rule.groups, 0);
  CARAVEL_CHECK_LE(rule.per_token, rule.experts / rule.groups * rule.chosen_groups);
  enqueue_choose_experts(stream, args);
}

void sort_by_expert(Stream& stream, const ExpertTable& table) {
  CARAVEL_CHECK_LE(table.experts, kMaxExperts);
  enqueue_sort_by_expert(stream, table);
}

}  // namespace cpu
}  // namespace caravel::kernels
