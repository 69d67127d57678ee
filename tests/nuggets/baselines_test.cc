#include "nuggets/baselines.h"

#include <gtest/gtest.h>

#include <cmath>

#include "format/temp_folder.h"
#include "nuggets/rows_as_text.h"
#include "nuggets/tiny_engine.h"

namespace caravel::nuggets {
namespace {

class BaselinesTest : public testing::Test {
 protected:
  std::vector<std::optional<Baselines>> baselines(const RowFile& file, bool expect_end = true) {
    ScoreStore store((folder_.path() / "scores.db").string(), "m");
    std::vector<const Row*> rows;
    for (const Row& row : file.rows()) rows.push_back(&row);
    std::vector<std::optional<Baselines>> all;
    EXPECT_EQ(score_answers(*engine_, *shots_, store, rows, stop_,
                            [&](size_t index, const std::optional<Baselines>& of_row) {
                              EXPECT_EQ(index, all.size()) << "in order";
                              all.push_back(of_row);
                            }),
              expect_end);
    return all;
  }

  format::TempFolder folder_;
  const std::unique_ptr<Engine> engine_ = tiny_engine();
  const std::unique_ptr<ShotTemplate> shots_ =
      component_shots(engine_->tokenizer(), {.primary_content = "Q: {instruction}", .cue = "A:"}, {});
  std::atomic<bool> stop_ = false;
};

const std::string kAnswers = R"([
  {"messages": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two three"}]},
  {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
    {"role": "user", "content": "c"}, {"role": "assistant", "content": "d e f"}]},
  {"messages": [{"role": "user", "content": "same"}, {"role": "assistant", "content": "two three"},
    {"role": "user", "content": "same"}, {"role": "assistant", "content": "two three"}]},
  {"messages": [{"role": "user", "content": "long"}, {"role": "assistant", "content": ")" +
                             std::string(400, 'x') + R"("}]},
  {"messages": [{"role": "user", "content": "last"}, {"role": "assistant", "content": "."}]}
])";

TEST_F(BaselinesTest, EqualAPlainLoop) {
  const RowFile file = read_text(kAnswers);
  const int32_t start = engine_->tokenizer().bos_id().value();
  const auto all = baselines(file);
  ASSERT_EQ(all.size(), 5U);
  EXPECT_FALSE(all[3]) << "its answer alone exceeds the context";
  for (const size_t i : {0, 1, 2, 4}) {
    ASSERT_TRUE(all[i]) << i;
    double perplexity = 0;
    double ifd = 0;
    double tokens = 0;
    const Row& row = file.rows()[i];
    const auto turns = static_cast<double>(row.turns.size());
    for (const Turn& turn : row.turns) {
      const TaskTokens task = shots_->task(turn);
      const double asked = std::exp(-plain_mean(*engine_, task.alone, task.answer));
      perplexity += asked / turns;
      ifd += asked / std::exp(-plain_mean(*engine_, {start}, task.answer)) / turns;
      tokens += static_cast<double>(task.answer.size()) / turns;
    }
    EXPECT_NEAR(all[i]->perplexity, perplexity, 1e-9 * perplexity) << i;
    EXPECT_NEAR(all[i]->ifd.value(), ifd, 1e-9 * ifd) << i;
    EXPECT_DOUBLE_EQ(all[i]->answer_tokens, tokens) << i;
  }
}

TEST_F(BaselinesTest, WhatStandsIsNotComputedAgain) {
  const RowFile file = read_text(kAnswers);
  const auto first = baselines(file);
  const int64_t tokens = engine_->stats().computed_tokens;
  const auto again = baselines(file);
  EXPECT_EQ(engine_->stats().computed_tokens, tokens);
  ASSERT_EQ(again.size(), first.size());
  for (size_t i = 0; i < first.size(); ++i) {
    ASSERT_EQ(again[i].has_value(), first[i].has_value());
    if (!first[i]) continue;
    EXPECT_EQ(again[i]->perplexity, first[i]->perplexity);
    EXPECT_EQ(again[i]->ifd, first[i]->ifd);
  }
}

TEST_F(BaselinesTest, AreStopped) {
  stop_ = true;
  EXPECT_TRUE(baselines(read_text(kAnswers), false).empty());
}

}  // namespace
}  // namespace caravel::nuggets
