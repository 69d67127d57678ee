#include "cli/batch_input.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "base/error.h"
#include "fixtures.h"

namespace caravel::cli {
namespace {

using testing::HasSubstr;

/// A file of these lines.
class BatchInputTest : public testing::Test {
 protected:
  BatchInput read(const std::string& content) const {
    std::ofstream(path_) << content;
    return read_batch(path_);
  }
  std::string refusal(const std::string& content) const {
    try {
      read(content);
    } catch (const InvalidArgument& error) {
      return error.what();
    }
    return "no error";
  }
  void TearDown() override { std::filesystem::remove(path_); }

  const std::string path_ = tests::temporary_path("batch.jsonl");
};

std::string digest(const char* row, const SamplingParams& given = {}, BatchForm form = BatchForm::kRows) {
  return row_digest({.request = parse_json(row)}, form, given, "model");
}

TEST_F(BatchInputTest, RowsKeepTheirIds) {
  const BatchInput input = read("{\"id\": 7}\n\n{\"id\": null}\r\n{\"id\": \"7b\"}\n{\"id\": 18446744073709551616}");
  EXPECT_EQ(input.form, BatchForm::kRows);
  std::vector<std::string> ids;
  for (const BatchRow& row : input.rows) ids.push_back(to_text(row.id));
  EXPECT_EQ(ids, (std::vector<std::string>{"7", "\"line-3\"", "\"7b\"", "18446744073709551616"}));
  EXPECT_FALSE(input.rows[1].named);
  EXPECT_EQ(input.rows[3].line, 5);
  EXPECT_EQ(refusal("\n \n"), path_ + ": there is no row in it, and nothing was run");
}

TEST_F(BatchInputTest, EveryBadLineIsTold) {
  const std::string told = refusal("{\"id\": 7}\n{\n{\"id\": \"7\"}\n[]\n{\"id\": 1.5}\n");
  EXPECT_THAT(told, HasSubstr("4 lines cannot be used"));
  for (const char* part : {"jsonl:2: not a JSON object", "jsonl:3: the id '7' stands on line 1 too",
                           "jsonl:4: not a JSON object", "jsonl:5: Invalid type for 'id'"}) {
    EXPECT_THAT(told, HasSubstr(part));
  }
  std::string many;
  for (int i = 0; i < 150; ++i) many += "x\n";
  EXPECT_THAT(refusal(many), HasSubstr("150 lines cannot be used"));
  EXPECT_THAT(refusal(many), testing::EndsWith("\nand 50 more"));
}

TEST_F(BatchInputTest, AFileHasOneForm) {
  const std::string openai = R"({"custom_id": "a", "method": "POST", "url": "/v1/completions", "body": {}})";
  EXPECT_EQ(read(openai + "\n").form, BatchForm::kOpenAi);
  EXPECT_THAT(refusal("{\"prompt\": \"a\"}\n" + openai), HasSubstr(":2: it is of OpenAI's batch form"));
  EXPECT_THAT(refusal(openai + "\n{\"prompt\": \"a\"}"), HasSubstr(":2: it is not of OpenAI's batch form"));
  EXPECT_THAT(refusal(R"({"url": "/v1/completions", "body": {}})"), HasSubstr("'custom_id'"));
}

TEST(RowDigest, IsOfWhatDecidesTheAnswer) {
  SamplingParams cold;
  cold.temperature = 0.0F;
  SamplingParams short_one;
  short_one.max_tokens = 3;
  const std::set<std::string> different = {
      digest(R"({"prompt": "a"})"),
      digest(R"({"prompt": "b"})"),
      digest(R"({"prompt": "a", "temperature": 1})"),
      digest(R"({"prompt": "a"})", cold),
      digest(R"({"prompt": "a", "tools": [{"b": 1, "a": 2}]})"),
      digest(R"({"prompt": "a", "tools": [{"a": 2, "b": 1}]})"),  // templates see the order
      row_digest({.request = parse_json(R"({"prompt": "a"})")}, BatchForm::kRows, {}, "another model"),
      row_digest({.request = parse_json(R"({"prompt": "a"})"), .key = "7", .named = true}, BatchForm::kRows, {},
                 "model"),
  };
  EXPECT_EQ(different.size(), 8U);
  for (const std::string& one : different) EXPECT_EQ(one.size(), 32U);

  EXPECT_EQ(digest(R"({"prompt": "a", "seed": 1})"),
            digest(R"({"seed": 1, "user": "me", "top_k": null, "prompt": "a"})"));
  EXPECT_EQ(digest(R"({"prompt": "a", "temperature": 1})"), digest(R"({"prompt": "a", "temperature": 1})", cold))
      << "a flag that the row overrides";
  EXPECT_EQ(digest(R"({"prompt": "a", "max_completion_tokens": 5})"),
            digest(R"({"prompt": "a", "max_completion_tokens": 5})", short_one));
}

TEST(RowDigest, OfOpenAisFormIsOfTheBody) {
  const auto of = [](const char* row) { return digest(row, {}, BatchForm::kOpenAi); };
  const std::string row = of(R"({"custom_id": "a", "url": "/v1/completions", "body": {"prompt": "a", "model": "x"}})");
  EXPECT_EQ(row, of(R"({"url": "/v1/completions", "custom_id": "a", "body": {"model": "y", "prompt": "a"}})"));
  EXPECT_NE(row, of(R"({"custom_id": "a", "url": "/v1/completions", "body": {"prompt": "b"}})"));
  EXPECT_NE(row, of(R"({"custom_id": "a", "url": "/v1/embeddings", "body": {"prompt": "a"}})"));
  EXPECT_EQ(of(R"({"custom_id": "a"})").size(), 32U);
}

}  // namespace
}  // namespace caravel::cli
