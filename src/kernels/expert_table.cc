#include "kernels/expert_table.h"

#include "base/check.h"
#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
void choose_experts(Stream& stream, const ChooseExpertsArgs& args);
void sort_by_expert(Stream& stream, const ExpertTable& table);
}  // namespace cpu

namespace cuda {
void choose_experts(Stream& stream, const ChooseExpertsArgs& args);
void sort_by_expert(Stream& stream, const ExpertTable& table);
}  // namespace cuda

namespace {

/// The table's arrays one after the other, each from a cache line's beginning on.
class TableMemory {
 public:
  explicit TableMemory(std::byte* memory) : memory_(memory) {}
  template <typename T>
  T* array(int64_t count) {
    T* const at = memory_ != nullptr ? reinterpret_cast<T*>(memory_ + bytes_) : nullptr;
    bytes_ += (static_cast<size_t>(count) * sizeof(T) + 63) / 64 * 64;
    return at;
  }
  size_t bytes() const { return bytes_; }

 private:
  std::byte* memory_;
  size_t bytes_ = 0;
};

ExpertTable lay_out(TableMemory& memory, int64_t tokens, const RouterRule& rule) {
  const int64_t rows = tokens * rule.per_token;
  ExpertTable table{.tokens = tokens, .experts = rule.experts, .per_token = rule.per_token};
  table.chosen = memory.array<int32_t>(rows);
  table.weights = memory.array<float>(rows);
  table.row_begin = memory.array<int32_t>(rule.experts + 1);
  table.rows = memory.array<int32_t>(rows);
  table.row_token = memory.array<int32_t>(rows);
  return table;
}

}  // namespace

size_t expert_table_bytes(int64_t tokens, const RouterRule& rule) {
  TableMemory memory(nullptr);
  lay_out(memory, tokens, rule);
  return memory.bytes();
}

ExpertTable expert_table(std::byte* memory, int64_t tokens, const RouterRule& rule) {
  TableMemory arrays(memory);
  return lay_out(arrays, tokens, rule);
}

void check_rule(const RouterRule& rule, const ExpertTable& table) {
  CARAVEL_CHECK_EQ(table.experts, rule.experts);
  CARAVEL_CHECK_EQ(table.per_token, rule.per_token);
  CARAVEL_CHECK_LE(rule.experts, kMaxExperts);
  CARAVEL_CHECK_GE(rule.per_token, 1);
  CARAVEL_CHECK_LE(rule.per_token, kMaxExpertsPerToken);
  CARAVEL_CHECK_GE(rule.chosen_groups, 1);
  CARAVEL_CHECK_LE(rule.chosen_groups, rule.groups);
  CARAVEL_CHECK_EQ(rule.experts % rule.groups, 0);
  CARAVEL_CHECK_LE(rule.per_token, rule.experts / rule.groups * rule.chosen_groups);
}

void choose_experts(Stream& stream, const ChooseExpertsArgs& args) {
  by_device(stream.device(), cpu::choose_experts, CARAVEL_IF_CUDA(cuda::choose_experts))(stream, args);
}

void sort_by_expert(Stream& stream, const ExpertTable& table) {
  by_device(stream.device(), cpu::sort_by_expert, CARAVEL_IF_CUDA(cuda::sort_by_expert))(stream, table);
}

}  // namespace caravel::kernels
