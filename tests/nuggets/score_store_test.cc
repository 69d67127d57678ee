#include "nuggets/score_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <thread>

#include "base/error.h"
#include "format/temp_folder.h"
#include "nuggets/token_hash.h"

namespace caravel::nuggets {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Hash128 key(int32_t number) { return hash_of({number, 7}); }

class ScoreStoreTest : public testing::Test {
 protected:
  std::string file(const std::string& name = "scores.db") const { return (folder_.path() / name).string(); }

  static void add(ScoreStore& store, int32_t prefix, int32_t continuation, double logprob, int tokens = 5) {
    const StoredScore score{store.continuation(key(continuation)), logprob, tokens};
    store.add(key(prefix), std::span(&score, 1));
  }
  /// By the number that this store has of the continuation; nothing: it is not there.
  static std::optional<double> logprob(ScoreStore& store, int32_t prefix, int32_t continuation) {
    for (const StoredScore& score : store.find(key(prefix))) {
      if (score.continuation == store.continuation(key(continuation))) return score.logprob;
    }
    return std::nullopt;
  }
  template <class Call>
  static std::string refusal_of_call(const Call& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  format::TempFolder folder_;
};

TEST_F(ScoreStoreTest, WhatWasAddedIsFoundAgainToTheBit) {
  constexpr double kValues[] = {-1.0 / 3, -0.0, -1e-310, -1e300, -std::numeric_limits<double>::infinity(), 0.0};
  for (int round = 0; round < 2; ++round) {
    ScoreStore store(file(), "m");
    EXPECT_EQ(store.size(), round == 0 ? 0 : 6);
    if (round == 0) {
      for (int i = 0; i < 6; ++i) add(store, 1, i, kValues[i], 10 + i);
    }
    std::vector<StoredScore> found = store.find(key(1));
    std::ranges::sort(found, {}, &StoredScore::tokens);
    ASSERT_EQ(found.size(), 6U);
    for (int i = 0; i < 6; ++i) {
      const StoredScore& score = found[static_cast<size_t>(i)];
      EXPECT_EQ(std::bit_cast<uint64_t>(score.logprob), std::bit_cast<uint64_t>(kValues[i]));
      EXPECT_EQ(score.tokens, 10 + i);
      EXPECT_EQ(score.continuation, store.continuation(key(i)));
      const std::optional<StoredScore> one = store.find(key(1), score.continuation);
      ASSERT_TRUE(one);
      EXPECT_EQ(std::bit_cast<uint64_t>(one->logprob), std::bit_cast<uint64_t>(score.logprob));
      EXPECT_EQ(one->tokens, score.tokens);
    }
    EXPECT_FALSE(store.find(key(2), found[0].continuation)) << "behind another prefix nothing stands";
    EXPECT_FALSE(store.find(key(1), store.continuation(key(7))));
    EXPECT_TRUE(store.find(key(2)).empty());
  }
}

TEST_F(ScoreStoreTest, WhatStandsIsLeftAsItIs) {
  ScoreStore store(file(), "m");
  add(store, 1, 2, -1);
  add(store, 1, 2, -9);
  EXPECT_EQ(logprob(store, 1, 2), -1);
  EXPECT_EQ(store.size(), 1);
  store.add(key(5), {});
  EXPECT_TRUE(store.find(key(5)).empty());
}

TEST_F(ScoreStoreTest, AnotherModelsScoresAreItsOwn) {
  ScoreStore one(file(), "one");
  add(one, 1, 2, -1);
  ScoreStore other(file(), "other");
  EXPECT_EQ(other.size(), 0);
  EXPECT_EQ(logprob(other, 1, 2), std::nullopt);
  add(other, 1, 2, -3);
  EXPECT_EQ(logprob(one, 1, 2), -1);
  EXPECT_EQ(logprob(other, 1, 2), -3);
  EXPECT_EQ(one.size() + other.size(), 2);
}

TEST_F(ScoreStoreTest, AMergeHasAllOfBothWhateverTheirNumbers) {
  {
    ScoreStore a(file("a.db"), "one");
    for (int32_t i = 0; i < 10; ++i) add(a, i, 100 + i, -i);
    ScoreStore b(file("b.db"), "two");  // numbers of models, prefixes and continuations are others here
    for (int32_t i = 0; i < 10; ++i) add(b, 9 - i, 109 - i, -50 - i);
    ScoreStore b_one(file("b.db"), "one");
    for (int32_t i = 15; i > 5; --i) add(b_one, i, 100 + i, -i);
    add(b_one, 3, 500, -500);
  }
  ScoreStore merged(file("merged.db"), "one");
  add(merged, 700, 100, -700);
  for (int again = 0; again < 2; ++again) {
    merged.merge(file("a.db"));
    merged.merge(file("b.db"));
    EXPECT_EQ(merged.size(), 1 + 16 + 1);
    for (int32_t i = 0; i <= 15; ++i) EXPECT_EQ(logprob(merged, i, 100 + i), -i);
    EXPECT_EQ(logprob(merged, 3, 500), -500);
    EXPECT_EQ(logprob(merged, 700, 100), -700);
  }
  ScoreStore two(file("merged.db"), "two");
  EXPECT_EQ(two.size(), 10);
  for (int32_t i = 0; i < 10; ++i) EXPECT_EQ(logprob(two, 9 - i, 109 - i), -50 - i);
}

TEST_F(ScoreStoreTest, WhatCannotBeMergedIsToldAndChangesNothing) {
  ScoreStore store(file(), "m");
  add(store, 1, 2, -1);
  EXPECT_THROW(store.merge(file("none.db")), NotFound);
  EXPECT_FALSE(std::filesystem::exists(file("none.db"))) << "none was made";
  folder_.write("text.db", std::string(5000, 'x'));
  EXPECT_THAT(refusal_of_call([&] { store.merge(file("text.db")); }),
              AllOf(HasSubstr("text.db"), HasSubstr("is no database")));
  add(store, 1, 3, -2);  // it goes on
  EXPECT_EQ(store.size(), 2);
}

TEST_F(ScoreStoreTest, AnotherVersionIsRefusedInALineAndLeftAsItIs) {
  { ScoreStore store(file(), "m"); }
  {
    store::Database newer(file("newer.db"), {.application = 0x43764773, .version = 2, .create = "CREATE TABLE t (a)"});
    store::Database other(file("other.db"), {.application = 77, .version = 1, .create = "CREATE TABLE t (a)"});
  }
  const std::string newer = refusal_of_call([&] { ScoreStore store(file("newer.db"), "m"); });
  EXPECT_THAT(newer, AllOf(HasSubstr("newer.db: is of version 2"), HasSubstr("version 1"), Not(HasSubstr("\n"))));
  EXPECT_THAT(refusal_of_call([&] { ScoreStore store(file("other.db"), "m"); }),
              AllOf(HasSubstr("other.db: is a database of something else"), Not(HasSubstr("\n"))));
  ScoreStore store(file(), "m");
  EXPECT_EQ(refusal_of_call([&] { store.merge(file("newer.db")); }), newer);
  EXPECT_EQ(store.size(), 0);
  store::Database still(file("newer.db"), {.application = 0x43764773, .version = 2, .create = ""});
  still.prepare("SELECT a FROM t").run();
}

// Some scores are written by both, in orders that meet.
TEST_F(ScoreStoreTest, TwoOnOneFileDoNotHarmEachOther) {
  constexpr int32_t kPrefixes = 60;
  const auto value = [](int32_t prefix, int32_t continuation) { return -prefix - continuation / 100.0; };
  const auto write = [&](int32_t writer) {
    ScoreStore store(file(), "m");
    for (int32_t i = 0; i < kPrefixes; ++i) {
      const int32_t prefix = writer == 0 ? i : kPrefixes - 1 - i;
      std::vector<StoredScore> scores;
      for (int32_t c = writer; c < writer + 9; ++c) {
        scores.push_back({store.continuation(key(1000 + c)), value(prefix, c), 3});
      }
      store.add(key(prefix), scores);
    }
  };
  std::thread other([&] { write(1); });
  write(0);
  other.join();
  ScoreStore store(file(), "m");
  EXPECT_EQ(store.size(), kPrefixes * 10);
  for (int32_t prefix = 0; prefix < kPrefixes; ++prefix) {
    for (int32_t c = 0; c < 10; ++c) ASSERT_EQ(logprob(store, prefix, 1000 + c), value(prefix, c));
  }
}

}  // namespace
}  // namespace caravel::nuggets
