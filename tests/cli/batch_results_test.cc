#include "cli/batch_results.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "cli/openai_line.h"
#include "fixtures.h"

namespace caravel::cli {
namespace {

using testing::HasSubstr;

std::string line(const Json& id, const std::string& digest, int index = 0, const Json& error = nullptr) {
  Json json = {{"id", id}, {"index", index}, {"text", "t"}, {"finish_reason", "stop"}};
  if (!error.is_null()) json["error"] = error;
  if (!digest.empty()) json["digest"] = digest;
  return to_text(json) + "\n";
}

BatchRow row(const Json& id, const std::string& digest, bool named = true) {
  return {.id = id, .key = id_key(id), .named = named, .digest = digest};
}

class BatchResultsTest : public testing::Test {
 protected:
  BatchResults read(const std::string& content, BatchForm form = BatchForm::kRows, const ResultFields& fields = {}) {
    std::ofstream(path_) << content;
    return read_results(path_, form, fields);
  }
  /// The lines that stand for each row, joined by '|'.
  std::string matched(const std::string& content, const std::vector<BatchRow>& rows) {
    const BatchResults results = read(content);
    std::string text;
    for (const BatchResult* result : match_results(results, rows)) {
      text += result == nullptr ? "-" : std::to_string(result->line);
      text += '|';
    }
    return text;
  }
  std::string settled(const std::string& content, const std::vector<BatchRow>& rows, bool ordered = false,
                      BatchForm form = BatchForm::kRows) {
    std::ofstream(path_) << content;
    settle_results(path_, form, rows, {}, ordered);
    return read_file(path_);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  const std::string path_ = tests::temporary_path("results.jsonl");
};

TEST_F(BatchResultsTest, AnAnswerIsKnownByItsIdAndItsDigest) {
  EXPECT_EQ(matched(line("a", "1") + line(7, "2") + line("b", "3"), {row("b", "3"), row("a", "x"), row(7, "2")}),
            "3|-|2|");
  EXPECT_EQ(matched(line("a", "") + line("7", ""), {row("a", "1"), row(7, "2")}), "1|2|") << "of earlier versions";
}

TEST_F(BatchResultsTest, TheLastAnswerCountsAndAnErrorWhereThereIsNone) {
  EXPECT_EQ(matched(line("a", "1", 0, "e") + line("a", "1"), {row("a", "1")}), "2|");
  EXPECT_EQ(matched(line("a", "1") + line("a", "1", 0, "e"), {row("a", "1")}), "1|");
  EXPECT_EQ(matched(line("a", "1", 0, "e") + line("a", "1", 0, "f"), {row("a", "1")}), "2|");
  EXPECT_EQ(matched(line("a", "") + line("a", "1"), {row("a", "1")}), "2|");
}

TEST_F(BatchResultsTest, SeveralAnswersAreOneResult) {
  const BatchResults results = read(line("a", "1", 0) + line("a", "1", 1) + line("a", "1", 0) + line("b", "2", 1));
  ASSERT_EQ(results.items.size(), 3U);
  EXPECT_EQ(results.items[1].line, 3);
}

TEST_F(BatchResultsTest, RowsWithoutIdsAreKnownWhereverTheyStand) {
  const std::string content = line("line-1", "1") + line("line-2", "2") + line("line-3", "2");
  const std::vector<BatchRow> rows = {row("line-1", "new", false), row("line-2", "2", false), row("line-3", "1", false),
                                      row("line-4", "2", false), row("line-5", "2", false)};
  EXPECT_EQ(matched(content, rows), "-|2|1|3|-|");
  EXPECT_EQ(settled(content, rows), line("line-3", "1") + line("line-2", "2") + line("line-4", "2"));
}

TEST_F(BatchResultsTest, WhatIsNobodysIsRefusedOrGoes) {
  const auto refusal = [&](const std::string& content) -> std::string {
    try {
      refuse_foreign("out.jsonl", read(content), {row("a", "1")});
    } catch (const InvalidArgument& error) {
      return error.what();
    }
    return "none";
  };
  EXPECT_THAT(refusal(line("a", "1") + line("b", "2")), HasSubstr("out.jsonl:2: the result of 'b'"));
  EXPECT_THAT(refusal(line("line-9", "")), HasSubstr("out.jsonl:1: the result of 'line-9'"));
  EXPECT_EQ(refusal(line("b", "2", 0, "e") + line("line-9", "3")), "none");
  EXPECT_EQ(settled(line("b", "2", 0, "e") + line("a", "0") + line("a", "1") + line("line-9", "3"), {row("a", "1")}),
            line("a", "1"));
}

TEST_F(BatchResultsTest, ALineThatIsNoResultIsRefused) {
  for (const char* content : {"{}\n", "7\n", "not json\n", "{\"id\": 1}\n"}) {
    EXPECT_THROW(read(content), InvalidArgument) << content;
  }
  EXPECT_THROW(read(line("a", "1"), BatchForm::kOpenAi), InvalidArgument);
}

TEST_F(BatchResultsTest, AnEndWithoutALineBreakIsCutOffWhereItBeginsAsAResult) {
  const std::string whole = line("a", "1");
  for (const char* begun :
       {"{", R"({"id")", R"({"id":"b\"c)", R"({"id":"b","in)", R"({"id":17)", R"({"id":-1,"index":0,"te)"}) {
    EXPECT_EQ(read(whole + begun).content, whole) << begun;
    EXPECT_TRUE(read(begun).items.empty()) << begun;
  }
  EXPECT_TRUE(read(R"({"id":"caravel-12","custom_id":"b","resp)", BatchForm::kOpenAi).items.empty());
  EXPECT_TRUE(read(R"({"id":7,"scores":[{"logpr)", BatchForm::kScores).items.empty());
  for (const char* foreign : {R"({"a": 1, "precious": [1,2,3]})", "a text", R"({"id":7,"name":"x"})", R"([1])"}) {
    EXPECT_THROW(read(foreign), InvalidArgument) << foreign;
    EXPECT_THROW(read(whole + foreign), InvalidArgument) << foreign;
  }
}

TEST_F(BatchResultsTest, ScoresAreResultsOfTheirOwn) {
  const std::string good = R"({"id":"a","scores":[{"logprob":-1}],"digest":"1"})"
                           "\n";
  const std::string bad = R"({"id":7,"scores":[],"error":"why","digest":"2"})"
                          "\n";
  const BatchResults results = read(bad + good, BatchForm::kScores);
  ASSERT_EQ(results.items.size(), 2U);
  EXPECT_EQ(results.items[0].error, "why");
  EXPECT_FALSE(results.items[1].failed);
  EXPECT_EQ(settled(bad + good, {row("a", "1"), row(7, "2")}, true, BatchForm::kScores), good + bad);
  EXPECT_THROW(read(line("a", "1"), BatchForm::kScores), InvalidArgument);
  EXPECT_THROW(read(good), InvalidArgument);
}

TEST_F(BatchResultsTest, AFieldThatIsAskedForAndMissingMakesAnAnswerStale) {
  EXPECT_FALSE(read(line("a", "1")).items[0].lacks);
  EXPECT_FALSE(read(line("a", "1"), BatchForm::kRows, ResultFields({"text", "message"})).items[0].lacks);
  EXPECT_TRUE(read(line("a", "1"), BatchForm::kRows, ResultFields({"token_ids"})).items[0].lacks);
  EXPECT_FALSE(read(line("a", "1", 0, "e"), BatchForm::kRows, ResultFields({"token_ids"})).items[0].lacks);
}

TEST_F(BatchResultsTest, OrderedLeavesOutWhatDependsOnTheRun) {
  BatchRow first = row("a", std::string(32, '1'));
  BatchRow second = row(7, std::string(32, '2'));
  const auto content = [&](const char* chat, const char* call, int created, int cached) {
    const std::string body = fmt::format(
        R"({{"id":"{}","created":{},"choices":[{{"message":{{"tool_calls":[{{"id":"{}","type":"function"}}]}}}}],)"
        R"("usage":{{"prompt_tokens":9,"prompt_tokens_details":{{"cached_tokens":{}}}}}}})",
        chat, created, call, cached);
    return openai_line(second, 200, body) + openai_line(first, 200, body);
  };
  const std::string one =
      settled(content("chatcmpl-aaaa", "call_bbbb", 5, 0), {first, second}, true, BatchForm::kOpenAi);
  EXPECT_EQ(one, settled(content("chatcmpl-cccc", "call_dddd", 6, 4), {first, second}, true, BatchForm::kOpenAi));
  EXPECT_EQ(one, settled(one, {first, second}, true, BatchForm::kOpenAi));
  EXPECT_THAT(one, HasSubstr(R"("created":0)"));
  EXPECT_THAT(one, testing::ContainsRegex(R"("id":"chatcmpl-[a-zA-Z0-9]{4}")"));
  EXPECT_LT(one.find(R"("custom_id":"a")"), one.find(R"("custom_id":7)"));
}

}  // namespace
}  // namespace caravel::cli
