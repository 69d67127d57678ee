#include "nuggets/shot_scorer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <set>

#include "base/error.h"
#include "format/temp_folder.h"
#include "nuggets/decide.h"
#include "nuggets/rows_as_text.h"
#include "nuggets/stopping.h"
#include "nuggets/tiny_engine.h"

namespace caravel::nuggets {
namespace {

using testing::HasSubstr;

/// Some words, "w" and a number, of one to six letters each.
std::string some_words(size_t count, std::mt19937& random) {
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) text += ' ';
    for (size_t letter = 0; letter < 1 + random() % 6; ++letter) text += static_cast<char>('a' + random() % 26);
  }
  return text;
}

/// Conversations of one to `turns` turns; what they say depends on the seed alone.
std::string some_rows(size_t count, uint32_t seed, size_t turns = 2, const std::string& name = "r") {
  std::mt19937 random(seed);
  std::string text;
  for (size_t row = 0; row < count; ++row) {
    Json messages = Json::array();
    for (size_t turn = 0; turn < 1 + random() % turns; ++turn) {
      messages.push_back({{"role", "user"}, {"content", some_words(1 + random() % 6, random)}});
      messages.push_back({{"role", "assistant"}, {"content", some_words(1 + random() % 4, random)}});
    }
    text += to_text({{"id", name + std::to_string(row)}, {"messages", messages}}) + "\n";
  }
  return text;
}

std::string long_row(const std::string& id, size_t words) {
  std::mt19937 random(static_cast<uint32_t>(words));
  return to_text({{"id", id},
                  {"messages",
                   {{{"role", "user"}, {"content", "long"}},
                    {{"role", "assistant"}, {"content", some_words(words, random)}}}}}) +
         "\n";
}

std::vector<const Row*> pointers(const RowFile& file) {
  std::vector<const Row*> rows;
  for (const Row& row : file.rows()) rows.push_back(&row);
  return rows;
}

class ShotScorerTest : public testing::Test {
 protected:
  struct Scored {
    std::vector<RowScore> rows;
    int64_t computed = 0;
    bool ended = true;
  };

  Scored score(const RowFile& data, const RowFile& tasks, const TaskTarget& target = all_tasks(), uint64_t seed = 1,
               const std::string& model = "m") {
    ScoreStore store((folder_.path() / "scores.db").string(), model);
    ShotScorer scorer(*engine_, *shots_, store, tasks.rows(), {.seed = seed, .stop = &stop_});
    Scored scored{.rows = std::vector<RowScore>(data.rows().size())};
    std::set<size_t> told;
    scored.ended = scorer.score_tasks() && scorer.score_rows(pointers(data), target, [&](size_t index, RowScore row) {
      EXPECT_TRUE(told.insert(index).second) << "row " << index << " ends once";
      scored.rows[index] = std::move(row);
      if (told.size() == stop_after_) stop_ = true;
    });
    if (scored.ended) {
      EXPECT_EQ(told.size(), data.rows().size());
    }
    scored.computed = scorer.computed_pairs();
    tasks_ = scorer.tasks();
    return scored;
  }

  static int64_t pairs(const Scored& scored) {
    int64_t count = 0;
    for (const RowScore& row : scored.rows) count += row.tasks();
    return count;
  }

  static void expect_same_rows(const Scored& a, const Scored& b) {
    ASSERT_EQ(a.rows.size(), b.rows.size());
    for (size_t i = 0; i < a.rows.size(); ++i) {
      EXPECT_EQ(a.rows[i].problem, b.rows[i].problem);
      ASSERT_EQ(a.rows[i].turns.size(), b.rows[i].turns.size());
      for (size_t turn = 0; turn < a.rows[i].turns.size(); ++turn) {
        const auto& x = a.rows[i].turns[turn].scores;
        const auto& y = b.rows[i].turns[turn].scores;
        ASSERT_EQ(x.size(), y.size()) << "row " << i;
        for (size_t pair = 0; pair < x.size(); ++pair) {
          EXPECT_EQ(x[pair].task, y[pair].task);
          EXPECT_EQ(x[pair].one_shot, y[pair].one_shot);
          EXPECT_EQ(x[pair].gain, y[pair].gain);
        }
      }
    }
  }

  format::TempFolder folder_;
  const std::unique_ptr<Engine> engine_ = tiny_engine();
  const std::unique_ptr<ShotTemplate> shots_ =
      component_shots(engine_->tokenizer(), {.primary_content = "Q: {instruction}", .cue = "A:"}, {});
  std::atomic<bool> stop_ = false;
  size_t stop_after_ = std::numeric_limits<size_t>::max();
  std::vector<ScoredTask> tasks_;  // of the last run
};

// Each pair as a prompt of its own, in a loop; which tasks a candidate has is by what is said.
TEST_F(ShotScorerTest, EqualsAPlainDoubleLoop) {
  const std::string shared = some_rows(50, 1);
  const std::string first_five = [&] {
    size_t end = 0;
    for (int row = 0; row < 5; ++row) end = shared.find('\n', end) + 1;
    return shared.substr(0, end);
  }();
  std::string long_rows;
  for (const size_t words : {40, 45, 50, 55, 60, 65, 70, 90}) long_rows += long_row(std::to_string(words), words);
  const RowFile data = read_text(shared + long_rows);
  const RowFile tasks = read_text(first_five + long_row("t", 12) + some_rows(14, 2, 1, "s"));
  ASSERT_EQ(tasks.rows().size(), 20U);
  const Scored scored = score(data, tasks);
  ASSERT_TRUE(scored.ended);

  std::vector<Turn> task_turns;
  for (const Row& row : tasks.rows()) task_turns.insert(task_turns.end(), row.turns.begin(), row.turns.end());
  ASSERT_EQ(tasks_.size(), task_turns.size());
  const auto room = static_cast<size_t>(engine_->model().max_model_len);
  const auto said = [](const Turn& turn) {
    std::vector<std::string> texts;
    for (const Message* const message : turn.path()) texts.push_back(message->role + message->content);
    texts.push_back("assistant" + turn.answer());
    return texts;
  };
  const auto is_said_in = [&](const Turn& task, const Turn& turn) {
    const std::vector<std::string> of_task = said(task);
    const std::vector<std::string> of_turn = said(turn);
    return of_task.size() <= of_turn.size() && std::equal(of_task.begin(), of_task.end(), of_turn.begin());
  };
  std::vector<double> zero_shot;
  for (size_t t = 0; t < task_turns.size(); ++t) {
    const TaskTokens task = shots_->task(task_turns[t]);
    zero_shot.push_back(plain_mean(*engine_, task.alone, task.answer));
    EXPECT_EQ(tasks_[t].zero_shot, zero_shot.back()) << "task " << t;
  }
  int64_t compared = 0;
  int same = 0;
  int too_long = 0;
  for (size_t i = 0; i < data.rows().size(); ++i) {
    const Row& row = data.rows()[i];
    double share = 0;
    int turns = 0;
    for (size_t turn = 0; turn < row.turns.size(); ++turn) {
      const std::vector<int32_t> example = shots_->example(row.turns[turn]);
      std::map<int, PairScore> found;
      if (scored.rows[i].problem.empty()) {
        for (const PairScore& pair : scored.rows[i].turns[turn].scores) found[pair.task] = pair;
      }
      int wins = 0;
      int counted = 0;
      int of_turn_too_long = 0;
      for (size_t t = 0; t < task_turns.size(); ++t) {
        if (is_said_in(task_turns[t], row.turns[turn])) {
          EXPECT_FALSE(found.contains(static_cast<int>(t))) << "it is the task itself, or has it in its conversation";
          ++same;
          continue;
        }
        const TaskTokens task = shots_->task(task_turns[t]);
        std::vector<int32_t> prompt = example;
        prompt.insert(prompt.end(), task.question.begin(), task.question.end());
        if (prompt.size() + task.answer.size() > room) {
          EXPECT_FALSE(found.contains(static_cast<int>(t)));
          ++of_turn_too_long;
          continue;
        }
        const double one_shot = plain_mean(*engine_, prompt, task.answer);
        ASSERT_TRUE(found.contains(static_cast<int>(t))) << row.id << ", turn " << turn << ", task " << t;
        const PairScore& pair = found[static_cast<int>(t)];
        EXPECT_EQ(pair.one_shot, one_shot) << row.id << ", turn " << turn << ", task " << t;
        EXPECT_EQ(pair.gain, one_shot - zero_shot[t]);
        EXPECT_EQ(pair.wins(), one_shot > zero_shot[t]);
        wins += one_shot > zero_shot[t];
        ++counted;
        ++compared;
      }
      EXPECT_EQ(scored.rows[i].turns[turn].too_long, of_turn_too_long) << row.id;
      too_long += of_turn_too_long;
      if (counted == 0) continue;
      share += static_cast<double>(wins) / counted;
      ++turns;
    }
    if (turns == 0) {
      EXPECT_THAT(scored.rows[i].problem, HasSubstr("longer than the context of 256 tokens"));
      continue;
    }
    EXPECT_EQ(scored.rows[i].problem, "");
    EXPECT_DOUBLE_EQ(scored.rows[i].golden_score(), share / turns);
  }
  EXPECT_EQ(scored.computed, compared);
  EXPECT_GE(compared, 1000);
  EXPECT_GE(same, 5);
  EXPECT_GT(too_long, static_cast<int>(task_turns.size())) << "the longest row's, and others'";
  EXPECT_NE(scored.rows.back().problem, "");
}

TEST_F(ShotScorerTest, WhatStandsIsNotComputedAgain) {
  const RowFile data = read_text(some_rows(12, 3));
  const RowFile tasks = read_text(some_rows(5, 4, 1));
  const Scored first = score(data, tasks);
  EXPECT_EQ(first.computed, pairs(first));
  const int64_t tokens = engine_->stats().computed_tokens;
  const Scored again = score(data, tasks);
  EXPECT_EQ(again.computed, 0);
  EXPECT_EQ(engine_->stats().computed_tokens, tokens) << "nor are the zero-shot scores";
  expect_same_rows(first, again);
  // In another order the same pairs stand.
  EXPECT_EQ(score(data, tasks, all_tasks(), 9).computed, 0);
  // Rows that are new are computed alone, wherever they stand and whatever the others are called.
  const Scored more = score(read_text(some_rows(3, 5, 1) + some_rows(12, 3, 2, "x")), tasks);
  EXPECT_EQ(more.computed, 3 * 5);
  // And so is a task.
  const RowFile more_tasks = read_text(some_rows(5, 4, 1) + long_row("new", 3));
  const Scored wider = score(data, more_tasks);
  EXPECT_EQ(wider.computed, pairs(wider) - pairs(first));
  // What another model says is its own.
  EXPECT_EQ(score(data, tasks, all_tasks(), 1, "another").computed, first.computed);
}

TEST_F(ShotScorerTest, StoppedItGoesOnWhereItWas) {
  const RowFile data = read_text(some_rows(40, 6));
  const RowFile tasks = read_text(some_rows(6, 7, 1));
  int64_t computed = 0;
  Scored last;
  int runs = 0;
  do {
    stop_ = false;
    stop_after_ = static_cast<size_t>(7 * ++runs);
    last = score(data, tasks);
    computed += last.computed;
    ASSERT_LT(runs, 10);
  } while (!last.ended);
  EXPECT_GT(runs, 3);
  EXPECT_EQ(computed, pairs(last)) << "what was not stored was not counted, and nothing else was done twice";
  stop_after_ = std::numeric_limits<size_t>::max();
  std::filesystem::remove(folder_.path() / "scores.db");
  const Scored whole = score(data, tasks);
  EXPECT_EQ(whole.computed, computed);
  expect_same_rows(last, whole);
}

TEST_F(ShotScorerTest, StoppedBeforeItBeginsItComputesNothing) {
  stop_ = true;
  const Scored scored = score(read_text(some_rows(3, 8)), read_text(some_rows(2, 9)));
  EXPECT_FALSE(scored.ended);
  EXPECT_EQ(scored.computed, 0);
}

TEST_F(ShotScorerTest, EndsEarlyOnTheSameSideAsAllTasks) {
  const RowFile data = read_text(some_rows(40, 10));
  const RowFile tasks = read_text(some_rows(24, 11, 1));
  for (const double threshold : {0.3, 0.5, 0.7}) {
    const Scored early = score(data, tasks, until_settled(threshold), 1, "early" + std::to_string(threshold));
    const Scored whole = score(data, tasks);
    EXPECT_LT(early.computed, pairs(whole));
    EXPECT_EQ(early.computed, pairs(early));
    for (size_t i = 0; i < data.rows().size(); ++i) {
      EXPECT_EQ(reaches(early.rows[i].golden_score(), threshold), reaches(whole.rows[i].golden_score(), threshold))
          << "row " << i << " at " << threshold;
      EXPECT_LE(early.rows[i].least(), whole.rows[i].golden_score());
      EXPECT_GE(early.rows[i].most(), whole.rows[i].golden_score());
    }
  }
}

TEST_F(ShotScorerTest, TasksThatCannotBeScoredSayWhy) {
  const RowFile data = read_text(some_rows(2, 12, 1));
  score(data, read_text(long_row("far", 100) + some_rows(2, 13, 1)));
  EXPECT_THAT(tasks_[0].problem, HasSubstr("are more than the context's 256"));
  EXPECT_EQ(tasks_[1].problem, "");
  const RowFile none = read_text(long_row("far", 100));
  try {
    score(data, none);
    FAIL() << "there is no task";
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), HasSubstr("none of the 1 tasks can be scored: its "));
  }
}

TEST_F(ShotScorerTest, ARowThatIsTheOnlyTaskHasNoScore) {
  const RowFile rows = read_text(some_rows(1, 14, 1));
  EXPECT_THAT(score(rows, rows).rows[0].problem, HasSubstr("says the same as the only task"));
}

}  // namespace
}  // namespace caravel::nuggets
