#include "nuggets/candidate_score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "nuggets/rows_as_text.h"

namespace caravel::nuggets {
namespace {

using testing::HasSubstr;
using testing::Not;

const char* const kLine =
    R"({"id":"a","row":3,"gs":0.75,"wins":3,"tasks":4,"interval":[0.3,0.95],"gain":0.125,"answer_tokens":7,)"
    R"("perplexity":2.5,"ifd":0.5})";

void expect_equal(const CandidateScore& a, const CandidateScore& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.number, b.number);
  EXPECT_EQ(a.problem, b.problem);
  EXPECT_EQ(a.golden_score, b.golden_score);
  EXPECT_EQ(a.wins, b.wins);
  EXPECT_EQ(a.tasks, b.tasks);
  EXPECT_EQ(a.interval, b.interval);
  EXPECT_EQ(a.gain, b.gain);
  EXPECT_EQ(a.bounds, b.bounds);
  ASSERT_EQ(a.baselines.has_value(), b.baselines.has_value());
  if (!a.baselines) return;
  EXPECT_EQ(a.baselines->perplexity, b.baselines->perplexity);
  EXPECT_EQ(a.baselines->ifd, b.baselines->ifd);
  EXPECT_EQ(a.baselines->answer_tokens, b.baselines->answer_tokens);
}

std::string refusal_of_line(std::string_view line) {
  try {
    parse_candidate_score(line);
  } catch (const FormatError& error) {
    return error.what();
  }
  return "no error";
}

TEST(CandidateScore, LinesAreReadAsTheyWereWritten) {
  CandidateScore score{.id = "ü \"1\"\n", .number = 17, .golden_score = 2.0 / 3, .wins = 2, .tasks = 3};
  score.interval = wilson_interval(2, 3);
  score.gain = -1.0 / 3e7;
  for (int more = 0; more < 4; ++more) {
    if (more == 1) score.bounds = {0.1, 1.0 / 3};
    if (more == 2) score.baselines = {.perplexity = 12.345678901234567, .ifd = std::nullopt, .answer_tokens = 8.5};
    if (more == 3) score.baselines->ifd = 0.1 + 0.2;
    const std::string line = to_line(score);
    EXPECT_THAT(line, Not(HasSubstr("\n")));
    expect_equal(parse_candidate_score(line), score);
    EXPECT_EQ(to_line(parse_candidate_score(line)), line);
  }
}

TEST(CandidateScore, ARowWithoutAScoreSaysWhyAndNothingElse) {
  const CandidateScore score{.id = "b", .number = 2, .problem = "is too long"};
  EXPECT_EQ(to_line(score), R"({"id":"b","row":2,"problem":"is too long"})");
  expect_equal(parse_candidate_score(to_line(score)), score);
}

TEST(CandidateScore, SumsUpARow) {
  const RowFile file = read_text(R"({"id": "x", "prompt": "a", "completion": "b"})");
  RowScore row;
  row.turns.push_back({.tasks = {0, 1, 2, 3}, .scores = {{0, -1, 0.5}, {1, -1, -0.25}, {2, -1, 0.5}}});
  const CandidateScore open = summarize(file.rows()[0], row);
  EXPECT_EQ(open.id, "x");
  EXPECT_EQ(open.number, 1U);
  EXPECT_EQ(open.golden_score, 2.0 / 3);
  EXPECT_EQ(open.wins, 2);
  EXPECT_EQ(open.tasks, 3);
  EXPECT_EQ(open.interval, wilson_interval(2, 3));
  EXPECT_EQ(open.gain, 0.25);
  EXPECT_EQ(open.bounds, (Interval{0.5, 0.75}));
  row.turns[0].scores.push_back({3, -1, 0});
  const CandidateScore ended = summarize(file.rows()[0], row);
  EXPECT_EQ(ended.golden_score, 0.5);
  EXPECT_EQ(ended.bounds, std::nullopt) << "nothing is left that could move it";
  row.problem = "does not fit";
  expect_equal(summarize(file.rows()[0], row), {.id = "x", .number = 1, .problem = "does not fit"});
}

TEST(CandidateScore, WhatIsNoLineIsRefusedAndNothingElseIsThrown) {
  EXPECT_EQ(refusal_of_line(kLine), "no error");
  const Json line = parse_json(kLine);
  for (const auto& [key, value] : line.items()) {
    if (key == "answer_tokens" || key == "perplexity" || key == "ifd") continue;
    Json without = line;
    without.erase(key);
    EXPECT_THAT(refusal_of_line(to_text(without)), HasSubstr("is no line of a run's scores.jsonl")) << key;
    for (const Json& wrong : {Json(), Json::array(), Json::object()}) {
      without[key] = wrong;
      EXPECT_THAT(refusal_of_line(to_text(without)), HasSubstr("is no line of a run's scores.jsonl"))
          << key << " is " << to_text(wrong);
    }
  }
  for (const char* const text : {"", "{", "[]", "3", "null", "\"a\"", "{\"id\": \"a\"", "nan", "\xff"}) {
    EXPECT_NE(refusal_of_line(text), "no error") << text;
  }
  for (size_t cut = 1; cut < std::string_view(kLine).size(); ++cut) {
    EXPECT_NE(refusal_of_line(std::string_view(kLine).substr(0, cut)), "no error") << cut;
  }
}

}  // namespace
}  // namespace caravel::nuggets
