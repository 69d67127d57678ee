#include "engine/step_builder.h"

#include <algorithm>

#include "base/check.h"

namespace caravel::engine {
namespace {

/// From the first on.
int32_t common_blocks(const cache::BlockTable& a, const cache::BlockTable& b) {
  const int most = std::min(a.size(), b.size());
  int count = 0;
  while (count < most && a[count] == b[count]) ++count;
  return count;
}

}  // namespace

void StepBuilder::fill(const scheduler::Plan& plan, StepInput& input) {
  input.number = plan.step;
  input.swap_outs = plan.swap_outs;
  input.swap_ins = plan.swap_ins;
  input.copies = plan.copies;
  for (const scheduler::Row& row : plan.rows) {
    scheduler::Sequence& sequence = *row.sequence;
    sequence.slot = slot_of(sequence, plan.step);
    tell_entries(row, input);
    input.rows.push_back({.slot = sequence.slot, .first = row.first, .count = row.count});
    for (int position = row.first; position < row.first + row.count; ++position) {
      const auto known = static_cast<size_t>(position);
      input.tokens.push_back(known < sequence.tokens.size() ? sequence.tokens[known] : last_draw_of(sequence.sampler));
    }
  }
  if (plan.rows.empty()) return;
  const size_t groups = plan.rows.front().sequence->kv.tables.size();
  for (size_t g = 0; g < groups; ++g) {
    const cache::BlockTable* before = nullptr;
    for (const scheduler::Row& row : plan.rows) {
      const cache::BlockTable& table = row.sequence->kv.tables[g];
      input.shared_blocks.push_back(before == nullptr ? 0 : common_blocks(*before, table));
      before = &table;
    }
  }
}

int StepBuilder::slot_of(scheduler::Sequence& sequence, uint64_t step) {
  if (sequence.slot >= 0) {
    Slot& slot = slots_[static_cast<size_t>(sequence.slot)];
    if (slot.sequence == sequence.id && slot.step != 0) {
      slot.step = step;
      return sequence.slot;
    }
  }
  for (size_t tried = 0; tried < slots_.size(); ++tried) {
    const size_t place = next_;
    next_ = (next_ + 1) % slots_.size();
    Slot& slot = slots_[place];
    if (slot.step == step) continue;
    slot = {.sequence = sequence.id, .step = step};
    return static_cast<int>(place);
  }
  CARAVEL_CHECK(!"more rows than slots");
}

void StepBuilder::tell_entries(const scheduler::Row& row, StepInput& input) {
  const cache::KvSequence& kv = row.sequence->kv;
  Slot& slot = slots_[static_cast<size_t>(row.sequence->slot)];
  if (slot.filling != kv.filling) slot.told = 0;
  slot.filling = kv.filling;
  // Before what the row writes nothing changes, but that windows pass: such entries are not read.
  const int first = std::min(slot.told, row.first / block_size_);
  slot.told = kv.tables.front().size();
  for (size_t g = 0; g < kv.tables.size(); ++g) {
    for (int i = first; i < slot.told; ++i) {
      input.entries.push_back(
          {.slot = row.sequence->slot, .group = static_cast<int32_t>(g), .index = i, .block = kv.tables[g][i]});
    }
  }
}

}  // namespace caravel::engine
