#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "scheduler/scheduler.h"

namespace caravel::scheduler {

/// What a model would find in its KV cache: for every slot a hash of the tokens up to and including the one whose keys
/// and values were written there, or nothing. Carries out steps as they were when they were planned, at any time after,
/// in order; draws tokens; and checks that every computed token sees exactly its own prefix, in every KV group.
class ShadowKv {
 public:
  explicit ShadowKv(const cache::KvManager& kv)
      : kv_(kv), device_(slots(kv.pool().size())), host_(slots(kv.host_pool().size())) {}

  /// A step on its way: it knows nothing of what becomes of its sequences.
  struct Step {
    struct Row {
      uint64_t sequence = 0;
      int first = 0;
      int count = 0;
      bool draws = false;
      std::vector<int32_t> tokens = {};            // those that were known, to the row's end
      std::vector<cache::BlockTable> tables = {};  // by KV group
      int32_t drawn = -1;                          // once it is executed
    };
    std::vector<BlockCopy> swap_outs, swap_ins, copies;
    std::vector<Row> rows;
    bool executed = false;
  };

  Step take(const Plan& plan) const {
    check_disjoint(plan.copies);
    Step step{.swap_outs = plan.swap_outs, .swap_ins = plan.swap_ins, .copies = plan.copies, .rows = {}};
    for (const Row& row : plan.rows) {
      check_plan(row);
      const Sequence& sequence = *row.sequence;
      const size_t known = std::min(sequence.tokens.size(), static_cast<size_t>(row.first + row.count));
      step.rows.push_back({.sequence = sequence.id,
                           .first = row.first,
                           .count = row.count,
                           .draws = row.draws,
                           .tokens = {sequence.tokens.begin(), sequence.tokens.begin() + static_cast<ptrdiff_t>(known)},
                           .tables = sequence.kv.tables});
    }
    return step;
  }

  /// token(): what is drawn.
  template <typename Token>
  void execute(Step& step, const Token& token) {
    copy(step.swap_outs, device_, host_);
    copy(step.swap_ins, host_, device_);
    copy(step.copies, device_, device_);
    for (Step::Row& row : step.rows) learn_tokens(row);
    for (const Step::Row& row : step.rows) write(row);
    for (const Step::Row& row : step.rows) check(row);
    for (Step::Row& row : step.rows) {
      if (!row.draws) continue;
      row.drawn = token();
      drawn_[row.sequence][row.first + row.count] = row.drawn;
    }
    step.executed = true;
  }

  /// The hash of a prefix and one more token; never 0.
  static uint64_t extend(uint64_t prefix, int32_t token) {
    uint64_t x = (prefix ^ static_cast<uint64_t>(token + 1)) * 0x9E3779B97F4A7C15ULL;
    x ^= x >> 29;
    return x * 0xBF58476D1CE4E5B9ULL | 1;
  }

 private:
  using Memory = std::vector<uint64_t>;  // [blocks, block_size]

  size_t slots(int blocks) const { return static_cast<size_t>(blocks) * static_cast<size_t>(kv_.block_size()); }

  void copy(const std::vector<BlockCopy>& copies, const Memory& from, Memory& to) const {
    const auto size = static_cast<ptrdiff_t>(kv_.block_size());
    for (const BlockCopy& c : copies) std::copy_n(from.begin() + c.from * size, size, to.begin() + c.to * size);
  }

  static void check_disjoint(const std::vector<BlockCopy>& copies) {
    for (const BlockCopy& a : copies) {
      for (const BlockCopy& b : copies) {
        ASSERT_NE(a.from, b.to);
        ASSERT_TRUE(&a == &b || a.to != b.to);
      }
    }
  }

  /// What holds when it is planned.
  void check_plan(const Row& row) const {
    const Sequence& sequence = *row.sequence;
    ASSERT_GT(row.count, 0);
    ASSERT_EQ(row.first + row.count, sequence.num_planned);
    // A token that is not known is the row's last, and the sequence's last draw.
    const int known = static_cast<int>(sequence.tokens.size());
    ASSERT_TRUE(row.first + row.count <= known || row.count == 1 || row.first + row.count == known + 1);
    for (const cache::BlockTable& table : sequence.kv.tables) {
      for (int p = row.first; p < row.first + row.count; ++p) {
        const cache::BlockId block = table[p / kv_.block_size()];
        ASSERT_EQ(kv_.pool().references(block), 1) << "a shared block is written";
        ASSERT_FALSE(kv_.pool().hashed(block)) << "a block that others may find is written";
      }
    }
  }

  /// Those that were drawn since it was planned.
  void learn_tokens(Step::Row& row) {
    const auto end = static_cast<size_t>(row.first + row.count);
    if (row.tokens.size() == end) return;
    const std::map<int, int32_t>& drawn = drawn_[row.sequence];
    ASSERT_FALSE(drawn.empty());
    ASSERT_EQ(drawn.rbegin()->first + 1, row.first + row.count) << "its last draw is not the token that it computes";
    while (row.tokens.size() < end) row.tokens.push_back(drawn.at(static_cast<int>(row.tokens.size())));
  }

  size_t slot(const Step::Row& row, size_t group, int position) const {
    const cache::BlockId block = row.tables[group][position / kv_.block_size()];
    EXPECT_GE(block, 0) << "position " << position << " of sequence " << row.sequence;
    return static_cast<size_t>(block) * static_cast<size_t>(kv_.block_size()) +
           static_cast<size_t>(position % kv_.block_size());
  }

  void hash_prefixes(const Step::Row& row) {
    prefixes_.assign(1, 1);
    for (const int32_t token : row.tokens) prefixes_.push_back(extend(prefixes_.back(), token));
  }
  uint64_t expected(size_t group, int position) const {
    return prefixes_[static_cast<size_t>(position) + 1] + 2 * group;
  }

  void write(const Step::Row& row) {
    hash_prefixes(row);
    for (size_t g = 0; g < row.tables.size(); ++g) {
      for (int p = row.first; p < row.first + row.count; ++p) device_[slot(row, g, p)] = expected(g, p);
    }
  }

  void check(const Step::Row& row) {
    hash_prefixes(row);
    for (size_t g = 0; g < row.tables.size(); ++g) {
      const int window = kv_.config().windows[g];
      for (int p = window == 0 ? 0 : std::max(0, row.first - window + 1); p < row.first + row.count; ++p) {
        ASSERT_EQ(device_[slot(row, g, p)], expected(g, p))
            << "position " << p << " of sequence " << row.sequence << " in KV group " << g;
      }
    }
  }

  const cache::KvManager& kv_;
  Memory device_;
  Memory host_;
  std::map<uint64_t, std::map<int, int32_t>> drawn_;  // by sequence: the token at a position
  std::vector<uint64_t> prefixes_;
};

}  // namespace caravel::scheduler
