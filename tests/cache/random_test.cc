// Random use of the cache with one to four steps in flight. A step may write and read its blocks at any time between
// its beginning and its end: here it writes at both, and reads at its end.

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/hash.h"
#include "cache/kv_manager.h"

namespace caravel::cache {
namespace {

class Pipeline {
 public:
  Pipeline(const KvConfig& config, size_t depth, uint32_t seed)
      : kv_(config),
        depth_(depth),
        random_(seed),
        device_(slots(config.num_blocks)),
        host_(slots(config.num_host_blocks)) {}

  void turn() {
    const int dice = below(100);
    if (dice < 12) {
      if (writers_.size() < 10) start();
    } else if (dice < 20) {
      if (!writers_.empty() && writers_.size() < 10) fork(*any());
    } else if (dice < 26) {
      if (!writers_.empty()) release(any());
    } else if (dice < 28) {
      if (!writers_.empty()) preempt(any()->group);
    } else if (dice < 80 && in_flight_.size() < depth_) {
      begin();
    } else if (in_flight_.size() == depth_ || (dice > 95 && !in_flight_.empty())) {
      end();
    }
    kv_.check_integrity();
  }

  void drain() {
    while (!in_flight_.empty()) end();
    while (!writers_.empty()) release(writers_.back());
    kv_.check_integrity();
    EXPECT_EQ(kv_.pool().used_blocks(), 0);
    EXPECT_EQ(kv_.host_pool().used_blocks(), 0);
  }

  int hits = 0;
  int swaps = 0;
  int copies = 0;
  int discarded = 0;

 private:
  struct Writer {
    KvSequence kv;
    std::vector<int32_t> tokens;
    int group = 0;     // forks are of one group
    int computed = 0;  // tokens, by steps that have ended
    int planned = 0;   // by steps that have begun, too
    int life = 0;      // rows of former lives are discarded
  };
  using WriterPtr = std::shared_ptr<Writer>;

  struct Row {
    WriterPtr writer;
    int life = 0;
    int first = 0;
    int count = 0;
    std::vector<BlockTable> tables = {};  // as the step sees them
    std::vector<uint64_t> prefixes = {};  // of each token up to the row's last: a hash of all up to it
  };

  struct Step {
    uint64_t number = 0;
    std::vector<Row> rows;
  };

  using Memory = std::vector<uint64_t>;  // [blocks, block_size]

  int below(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }
  WriterPtr any() { return writers_[static_cast<size_t>(below(static_cast<int>(writers_.size())))]; }
  size_t slots(int blocks) const { return static_cast<size_t>(blocks) * static_cast<size_t>(kv_.block_size()); }

  WriterPtr add(int group) {
    WriterPtr writer = writers_.emplace_back(std::make_shared<Writer>());
    writer->group = group;
    kv_.register_sequence(writer->kv, "", kMaxTokens);
    return writer;
  }
  void grow(Writer& writer) {
    const size_t size = writer.tokens.size() + 1 + static_cast<size_t>(below(24));
    while (writer.tokens.size() < std::min<size_t>(size, kMaxTokens)) writer.tokens.push_back(below(2));
  }
  /// Of one of a few prompts, so that they meet.
  void start() {
    Writer& writer = *add(next_group_++);
    const int prompt = below(3);
    for (int i = below(20); i >= 0; --i) writer.tokens.push_back(prompt);
    grow(writer);
  }
  /// Of what has ended; what is in flight stays the parent's.
  void fork(const Writer& parent) {
    Writer& child = *add(parent.group);
    child.tokens.assign(parent.tokens.begin(), parent.tokens.begin() + parent.computed);
    child.computed = child.planned = parent.computed;
    kv_.share(parent.kv, child.kv);
    grow(child);
  }
  void release(const WriterPtr& writer) {
    kv_.release(writer->kv);
    ++writer->life;
    std::erase(writers_, WriterPtr(writer));
  }
  void preempt(int group) {
    for (const WriterPtr& writer : writers_) {
      if (writer->group != group) continue;
      kv_.reset(writer->kv, "");
      writer->computed = writer->planned = 0;
      ++writer->life;
    }
  }

  void begin() {
    Step step;
    std::vector<BlockCopy> swap_outs, swap_ins, block_copies;
    for (const WriterPtr& writer : writers_) {
      if (below(12) == 0) swap(*writer, swap_outs, swap_ins);
    }
    std::set<int> planned;  // groups
    for (const WriterPtr& writer : writers_) {
      if (const int group = any()->group; below(12) == 0 && !planned.contains(group)) preempt(group);
      if (below(4) != 0 && plan(writer, block_copies, step.rows)) planned.insert(writer->group);
    }
    for (const BlockCopy& a : block_copies) {
      for (const BlockCopy& b : block_copies) ASSERT_NE(a.from, b.to);
    }
    step.number = kv_.begin_step();
    copy(swap_outs, device_, host_);
    copy(swap_ins, host_, device_);
    copy(block_copies, device_, device_);
    for (const Row& row : step.rows) write(row);
    swaps += static_cast<int>(swap_outs.size() + swap_ins.size());
    copies += static_cast<int>(block_copies.size());
    in_flight_.push_back(std::move(step));
  }

  void swap(Writer& writer, std::vector<BlockCopy>& swap_outs, std::vector<BlockCopy>& swap_ins) {
    KvSequence* const moved[] = {&writer.kv};
    const int blocks = kv_.distinct_blocks(moved);
    if (writer.kv.on_host) {
      if (blocks <= kv_.free_blocks()) kv_.swap_in(moved, swap_ins);
    } else if (blocks <= kv_.host_pool().free_blocks()) {
      kv_.swap_out(moved, swap_outs);
      writer.planned = writer.computed;
      ++writer.life;
    }
  }

  bool plan(const WriterPtr& writer, std::vector<BlockCopy>& block_copies, std::vector<Row>& rows) {
    const int size = static_cast<int>(writer->tokens.size());
    if (writer->kv.on_host || writer->planned == size) return false;
    if (writer->kv.tables.front().size() == 0) {
      const PrefixHit hit = kv_.find_prefix(writer->tokens, "", size - 1);
      kv_.take_prefix(writer->kv, hit);
      writer->computed = writer->planned = hit.tokens;
      hits += hit.tokens > 0;
    }
    Row row{.writer = writer, .life = writer->life, .first = writer->planned};
    row.count = kv_.tokens_that_fit(writer->kv, row.first, 1 + below(std::min(size - row.first, 6)));
    if (row.count == 0) return false;
    kv_.reserve(writer->kv, row.first, row.count, block_copies);
    writer->planned += row.count;
    row.tables = writer->kv.tables;
    Hash128 prefix;
    for (int p = 0; p < writer->planned; ++p) {
      prefix = hash128(&writer->tokens[static_cast<size_t>(p)], sizeof(int32_t), prefix);
      row.prefixes.push_back(prefix.low);
    }
    for (const BlockTable& table : row.tables) {
      for (int i = row.first / kv_.block_size(); i * kv_.block_size() < writer->planned; ++i) {
        EXPECT_EQ(kv_.pool().references(table[i]), 1) << "a shared block is written";
        EXPECT_FALSE(kv_.pool().hashed(table[i])) << "a block that others may find is written";
      }
    }
    rows.push_back(std::move(row));
    return true;
  }

  void end() {
    const Step step = std::move(in_flight_.front());
    in_flight_.pop_front();
    for (const Row& row : step.rows) write(row);
    for (const Row& row : step.rows) check(row);
    kv_.end_step(step.number);
    for (const Row& row : step.rows) {
      Writer& writer = *row.writer;
      if (row.life != writer.life) {
        ++discarded;
        continue;
      }
      writer.computed = row.first + row.count;
      kv_.commit(writer.kv, writer.tokens, writer.computed);
    }
  }

  void copy(const std::vector<BlockCopy>& list, const Memory& from, Memory& to) const {
    const auto size = static_cast<ptrdiff_t>(kv_.block_size());
    for (const BlockCopy& c : list) std::copy_n(from.begin() + c.from * size, size, to.begin() + c.to * size);
  }
  uint64_t& slot(const Row& row, size_t group, int position) {
    const BlockId block = row.tables[group][position / kv_.block_size()];
    return device_[slots(block) + static_cast<size_t>(position % kv_.block_size())];
  }
  static uint64_t expected(const Row& row, size_t group, int position) {
    return row.prefixes[static_cast<size_t>(position)] + group;
  }
  void write(const Row& row) {
    for (size_t g = 0; g < row.tables.size(); ++g) {
      for (int p = row.first; p < row.first + row.count; ++p) slot(row, g, p) = expected(row, g, p);
    }
  }
  void check(const Row& row) {
    for (size_t g = 0; g < row.tables.size(); ++g) {
      const int window = kv_.config().windows[g];
      for (int p = window == 0 ? 0 : std::max(0, row.first - window + 1); p < row.first + row.count; ++p) {
        ASSERT_EQ(slot(row, g, p), expected(row, g, p)) << "position " << p << " in KV group " << g;
      }
    }
  }

  static constexpr int kMaxTokens = 48;

  KvManager kv_;
  size_t depth_;
  std::mt19937 random_;
  Memory device_;
  Memory host_;
  std::vector<WriterPtr> writers_;
  std::deque<Step> in_flight_;
  int next_group_ = 0;
};

TEST(RandomSteps, WhatAStepInFlightUsesIsNobodyElses) {
  static const std::vector<std::vector<int>> kWindows = {{0}, {0, 5}, {3}, {0, 4, 9}};
  int hits = 0;
  int swaps = 0;
  int copies = 0;
  int discarded = 0;
  constexpr uint32_t kRuns = 400;
  for (uint32_t seed = 0; seed < kRuns; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const KvConfig config{.block_size = 1 << random() % 3,
                          .num_blocks = 16 + static_cast<int>(random() % 60),
                          .num_host_blocks = static_cast<int>(random() % 30),
                          .windows = kWindows[random() % kWindows.size()],
                          .hash_seed = random()};
    Pipeline pipeline(config, 1 + seed % 4, seed);
    for (int turn = 0; turn < 400; ++turn) {
      pipeline.turn();
      if (testing::Test::HasFailure()) return;
    }
    pipeline.drain();
    hits += pipeline.hits;
    swaps += pipeline.swaps;
    copies += pipeline.copies;
    discarded += pipeline.discarded;
  }
  // The dice reached what they were thrown for.
  EXPECT_GT(hits, kRuns);
  EXPECT_GT(swaps, kRuns);
  EXPECT_GT(copies, kRuns);
  EXPECT_GT(discarded, kRuns);
}

}  // namespace
}  // namespace caravel::cache
