#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "scheduler/scheduler.h"

namespace caravel::scheduler {

/// What a model would find in its KV cache: for every slot a hash of the tokens up to and including the one whose keys
/// and values were written there, or nothing. Carries out plans, and checks that every computed token sees exactly its
/// own prefix, in every KV group.
class ShadowKv {
 public:
  explicit ShadowKv(const cache::KvManager& kv)
      : kv_(kv), device_(slots(kv.pool().size())), host_(slots(kv.host_pool().size())) {}

  void execute(const Plan& plan) {
    copy(plan.swap_outs, device_, host_);
    copy(plan.swap_ins, host_, device_);
    check_disjoint(plan.copies);
    copy(plan.copies, device_, device_);
    for (const Row& row : plan.rows) write(row);
    for (const Row& row : plan.rows) check(row);
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

  size_t slot(const Sequence& sequence, size_t group, int position) const {
    const cache::BlockId block = sequence.kv.tables[group][position / kv_.block_size()];
    EXPECT_GE(block, 0) << "position " << position << " of sequence " << sequence.id;
    return static_cast<size_t>(block) * static_cast<size_t>(kv_.block_size()) +
           static_cast<size_t>(position % kv_.block_size());
  }

  void hash_prefixes(const Sequence& sequence, int length) {
    prefixes_.assign(1, 1);
    for (int i = 0; i < length; ++i) {
      prefixes_.push_back(extend(prefixes_.back(), sequence.tokens[static_cast<size_t>(i)]));
    }
  }
  uint64_t expected(size_t group, int position) const {
    return prefixes_[static_cast<size_t>(position) + 1] + 2 * group;
  }

  void write(const Row& row) {
    ASSERT_GT(row.count, 0);
    ASSERT_EQ(row.first, row.sequence->num_computed);
    ASSERT_LE(static_cast<size_t>(row.first + row.count), row.sequence->tokens.size());
    hash_prefixes(*row.sequence, row.first + row.count);
    for (size_t g = 0; g < row.sequence->kv.tables.size(); ++g) {
      for (int p = row.first; p < row.first + row.count; ++p) {
        const size_t place = slot(*row.sequence, g, p);
        const auto block = static_cast<cache::BlockId>(place / static_cast<size_t>(kv_.block_size()));
        ASSERT_EQ(kv_.pool().references(block), 1) << "a shared block is written";
        ASSERT_FALSE(kv_.pool().hashed(block)) << "a block that others may find is written";
        device_[place] = expected(g, p);
      }
    }
  }

  void check(const Row& row) {
    hash_prefixes(*row.sequence, row.first + row.count);
    for (size_t g = 0; g < row.sequence->kv.tables.size(); ++g) {
      const int window = kv_.config().windows[g];
      for (int p = window == 0 ? 0 : std::max(0, row.first - window + 1); p < row.first + row.count; ++p) {
        ASSERT_EQ(device_[slot(*row.sequence, g, p)], expected(g, p))
            << "position " << p << " of sequence " << row.sequence->id << " in KV group " << g;
      }
    }
  }

  const cache::KvManager& kv_;
  Memory device_;
  Memory host_;
  std::vector<uint64_t> prefixes_;
};

}  // namespace caravel::scheduler
