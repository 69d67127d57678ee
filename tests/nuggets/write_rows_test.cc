#include "nuggets/write_rows.h"

#include <gtest/gtest.h>

#include "rows_as_text.h"

namespace caravel::nuggets {
namespace {

/// Every row of the file, with a score.
std::string written(const RowFile& file, const Json& added = {{"gs", 0.5}}) {
  std::string text;
  RowWriter writer(file, file.syntax().layout, [&text](std::string_view part) { text += part; });
  for (const Row& row : file.rows()) writer.write(row, added);
  writer.end();
  return text;
}

TEST(WriteRows, AnArrayStaysOne) {
  const RowFile file = read_text(
      "[\n {\n  \"instruction\": \"caf\\u00e9\",\n  \"output\": \"b\",\n  \"big\": 12345678901234567890123\n },\n {}, "
      "{\"instruction\": \"c\", \"output\": \"d\", \"gs\": 0.1, \"x\": null}]");
  EXPECT_EQ(written(file),
            "[\n{\"instruction\":\"café\",\"output\":\"b\",\"big\":12345678901234567890123,\"gs\":0.5},\n"
            "{\"instruction\":\"c\",\"output\":\"d\",\"gs\":0.5,\"x\":null}\n]\n");
}

TEST(WriteRows, ALineStaysOne) {
  EXPECT_EQ(written(read_text("\xEF\xBB\xBF{\"prompt\": \"a\",  \"completion\": \"b\"}\r\n")),
            "{\"prompt\":\"a\",\"completion\":\"b\",\"gs\":0.5}\n");
  EXPECT_EQ(written(read_text("{\n\"prompt\": \"a\\nb\",\n\"completion\": \"b\"}")),
            "{\"prompt\":\"a\\nb\",\"completion\":\"b\",\"gs\":0.5}\n");
}

TEST(WriteRows, CsvGetsColumns) {
  const Json added = {{"gs", 0.5}, {"why", "a;\"b\""}, {"tasks", {1, 2}}, {"none", nullptr}};
  EXPECT_EQ(written(read_text("prompt;gs;completion;x;x\n\"a\nb\";old;c;1;2\n"), added),
            "prompt;gs;completion;x;x;why;tasks;none\n\"a\nb\";0.5;c;1;2;\"a;\"\"b\"\"\";\"[1,2]\";\n");
}

TEST(WriteRows, AnArrayBecomesLinesAndLinesAnArray) {
  const auto as = [](const std::string& content, RowLayout layout) {
    const RowFile file = read_text(content);
    std::string text;
    RowWriter writer(file, layout, [&text](std::string_view part) { text += part; });
    for (const Row& row : file.rows()) writer.write(row, {{"gs", 1}});
    writer.end();
    EXPECT_EQ(writer.replaced(), std::set<std::string>{"gs"});
    return text;
  };
  const std::string lines =
      "{\"prompt\":\"a\",\"completion\":\"b\",\"gs\":1}\n{\"prompt\":\"c\",\"completion\":\"d\",\"gs\":1}\n";
  const std::string array =
      "[\n{\"prompt\":\"a\",\"completion\":\"b\",\"gs\":1},\n{\"prompt\":\"c\",\"completion\":\"d\",\"gs\":1}\n]\n";
  EXPECT_EQ(as(lines, RowLayout::kArray), array);
  EXPECT_EQ(as(array, RowLayout::kLines), lines);
}

TEST(WriteRows, NoRowIsChosen) {
  const auto empty = [](const std::string& content) {
    const RowFile file = read_text(content);
    std::string text;
    RowWriter(file, file.syntax().layout, [&text](std::string_view part) { text += part; }).end();
    return text;
  };
  EXPECT_EQ(empty("[{\"prompt\": \"a\", \"completion\": \"b\"}]"), "[\n]\n");
  EXPECT_EQ(empty("{\"prompt\": \"a\", \"completion\": \"b\"}"), "");
  EXPECT_EQ(empty("prompt,completion\na,b"), "prompt,completion\n");
}

TEST(WriteRows, WhatIsReadAgainIsTheSame) {
  for (const char* const text : {
           "{\"instruction\": \"i\", \"instances\": [{\"input\": \"x\", \"output\": \"\\u2019\"}, {\"output\": "
           "\"\\\"\"}]}\n",
           "[{\"conversations\": [{\"from\": \"human\", \"value\": \"a\\u0000\"}, {\"from\": \"gpt\", \"value\": "
           "\"b\"}]}]",
           "{\"prompt\": [{\"role\": \"user\", \"content\": \"a\"}], \"completion\": [{\"role\": \"assistant\", "
           "\"content\": \"b\"}]}",
           "{\"instruction\": \"c\", \"output\": \"d\", \"history\": [[\"a\", \"b\"]]}",
           "{\"prompt\": {\"text\": \"q\", \"role\": \"prompter\", \"replies\": [{\"text\": \"a\", \"role\": "
           "\"assistant\"}]}}",
           "instruction,input,output\n\" a\",\"\r\n\",\"x\"\"\"\n[b,{,}\n",
       }) {
    const RowFile file = read_text(text);
    const RowFile again = read_text(written(file));
    EXPECT_EQ(turns_of(again), turns_of(file));
    EXPECT_EQ(again.form(), file.form());
    EXPECT_EQ(again.syntax().layout, file.syntax().layout);
    EXPECT_TRUE(again.problems().empty());
  }
}

}  // namespace
}  // namespace caravel::nuggets
