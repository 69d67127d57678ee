#include "nuggets/read_rows.h"

#include <gmock/gmock.h>

#include "caravel/error.h"
#include "rows_as_text.h"

namespace caravel::nuggets {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string pair(const std::string& prompt, const std::string& completion) {
  return "{\"prompt\": \"" + prompt + "\", \"completion\": \"" + completion + "\"}";
}

TEST(ReadRows, IdsAreTheRowsOwnOrTheirNumbers) {
  const RowFile file = read_text("{\"id\": 7, \"prompt\": \"a\", \"completion\": \"b\"}\n\n" + pair("c", "") + "\n" +
                                 pair("c", "d") + "\n{\"custom_id\": \"x\", \"prompt\": \"e\", \"completion\": \"f\"}");
  std::vector<std::string> ids;
  for (const Row& row : file.rows()) ids.push_back(row.id);
  EXPECT_THAT(ids, ElementsAre("7", "row-3", "x"));
  EXPECT_EQ(file.rows()[1].number, 3);
  EXPECT_EQ(file.rows()[1].line, 4);
  EXPECT_EQ(file.row_count(), 4);
  EXPECT_EQ(file.turn_count(), 3);
}

TEST(ReadRows, WhatCannotBeUsedIsSaidWithItsLine) {
  const RowFile file = read_text(pair("a", "b") + "\n{\"prompt\": \"c\", \"completion\": NaN}\n" + pair(" ", "x") +
                                 "\nprompt\n" + pair("y", "\\n") + "\n" + pair("bad \xFF", "z") + "\n[1]\n" +
                                 "{\"prompt\": [], \"completion\": \"b\"}\n{\"prompt\": \"c\"}\n" + pair("e", "f"));
  EXPECT_THAT(turns_of(file), ElementsAre("user:a>b", "user:e>f"));
  EXPECT_THAT(problems_of(file),
              ElementsAre(StartsWith("2: parse error at column 31: syntax error"), "3: its 'prompt' is empty",
                          "4: it is not a JSON object", "5: its 'completion' is empty", "6: it is not UTF-8",
                          "7: it is not a JSON object", HasSubstr("8: Invalid type for 'prompt': expected a string"),
                          "9: its 'completion' is empty"));
  EXPECT_TRUE(file.problems()[0].is_skipped);
}

TEST(ReadRows, OneOfRowsThatAreAlikeIsKept) {
  const RowFile file = read_text("{\"id\": 1, \"prompt\": \"a\", \"completion\": \"b\"}\n" + pair("a", "c") +
                                 "\n{\"id\": 2, \"completion\": \"b\", \"prompt\": \"a\"}\n" +
                                 "{\"id\": \"1\", \"prompt\": \"d\", \"completion\": \"e\"}\n" + pair("d", "e"));
  EXPECT_THAT(turns_of(file), ElementsAre("user:a>b", "user:a>c", "user:d>e"));
  EXPECT_THAT(problems_of(file),
              ElementsAre("3: it says the same as row 1 on line 1", HasSubstr("4: an earlier row has its id, '1', too"),
                          "5: it says the same as row 4 on line 4"));
  EXPECT_FALSE(file.problems()[1].is_skipped);
  EXPECT_EQ(file.rows()[2].id, "1#4");
}

TEST(ReadRows, ABrokenRowOfAnArrayIsLostAlone) {
  const std::string good = "  {\n    \"instruction\": \"a\",\n    \"output\": \"b\"\n  }";
  const std::string last = "  {\n    \"instruction\": \"c\",\n    \"output\": \"{d}\"\n  }\n]";
  for (const char* const broken : {
           "  {\n    \"instruction\": \"no end,\n    \"output\": \"x\"\n  }",  // a quote is missing
           "  {\n    \"instruction\": \"x\"\n    \"output\": \"x\"\n  }",      // a comma
           "  {\n    \"instruction\": \"x\",\n    \"output\": [\"x\"\n  }",    // a bracket
           "  {\n    \"instruction\": \"x\",\n    \"output\": \"x\"\n",        // the last bracket
           "  {\n    \"instruction\": \"x\",\n    \"output\": \"x\"\n  }}",    // one too many
           "  {\n    \"instruction\": \"x\",\n    \"output\": NaN\n  }",
       }) {
    const RowFile file = read_text("[\n" + good + ",\n" + broken + ",\n" + last);
    SCOPED_TRACE(broken);
    const std::vector<std::string> turns = turns_of(file);
    EXPECT_EQ(turns.front(), "user:a>b");
    EXPECT_EQ(turns.back(), "user:c>{d}");
    ASSERT_EQ(file.problems().size(), 1);
    EXPECT_EQ(file.rows().back().line, 10);
  }
}

TEST(ReadRows, ABrokenRowOfALineIsLostAlone) {
  const RowFile file = read_text(
      "[{\"prompt\":\"a\",\"completion\":\"b\"},{\"prompt\":\"x\",\"completion\":\"{},{\",\"y\":[},"
      "{\"prompt\":\"c\",\"completion\":\"d\"},3,{\"prompt\":\"e\",\"completion\":\"f\"}]");
  EXPECT_THAT(turns_of(file), ElementsAre("user:a>b", "user:c>d", "user:e>f"));
  EXPECT_EQ(file.problems().size(), 2);
}

TEST(ReadRows, ErrorsInRowsOfSeveralLinesNameTheFilesLine) {
  const RowFile file =
      read_text("[\n{\n\"prompt\": \"a\",\n\"completion\": \"b\"\n},\n{\n\"prompt\": \"a\",\n\"completion\": b\n}\n]");
  EXPECT_THAT(problems_of(file), ElementsAre(StartsWith("6: parse error at line 8, column 15: ")));
}

TEST(ReadRows, ObjectsOneAfterAnother) {
  const RowFile file = read_text(
      "{\n  \"prompt\": \"a\",\n  \"completion\": \"b\"\n}\n{\n  \"prompt\": \"c\",\n  \"completion\": \"d\"\n}\n");
  EXPECT_THAT(turns_of(file), ElementsAre("user:a>b", "user:c>d"));
  EXPECT_EQ(file.rows()[1].line, 5);
  EXPECT_EQ(file.syntax().layout, RowLayout::kLines);
}

TEST(ReadRows, AnUnknownFormIsRefusedWithWhatThereIs) {
  EXPECT_THAT(refusal_of("{\"title\": \"t\", \"body\": \"b\"}\n{\"title\": \"u\", \"tags\": []}"),
              StartsWith("data: its form is not known: its first rows have the keys title, body, tags; known are "
                         "instruction and output (Alpaca), prompt and completion (texts, or lists of messages),"));
  EXPECT_THAT(refusal_of("title,body\na,b\n"), HasSubstr("--columns instruction=NAME,output=NAME"));
  EXPECT_THAT(refusal_of("title,body\na,b\n"), HasSubstr("but title, body; known are"));
  EXPECT_THAT(refusal_of("[1, 2, 3]"), HasSubstr("no row can be read; line 1: it is not a JSON object"));
  EXPECT_EQ(refusal_of(" \n"), "data: it is empty");
  EXPECT_THAT(refusal_of(pair("a", "") + "\n" + pair("", "b")),
              HasSubstr("of its rows (2) none can be used; line 1: its 'completion' is empty; line 2: its 'prompt'"));
}

TEST(ReadRows, WhatIsNoTextIsRefusedWithWhatMakesItOne) {
  const std::string parquet = refusal_of(std::string("PAR1\x15\x04\0\0", 8));
  EXPECT_THAT(parquet, HasSubstr("python3 -c \"import pandas"));
  EXPECT_EQ(parquet.find('\n'), std::string::npos);
  EXPECT_THAT(refusal_of("\x1F\x8B\x08"), HasSubstr("gunzip"));
  EXPECT_THAT(refusal_of(std::string("\xFF\xFE{\0", 4)), HasSubstr("iconv -f UTF-16"));
}

TEST(ReadRows, AFileThatIsNotThere) { EXPECT_THROW(RowFile::open("no/such/file.jsonl"), NotFound); }

}  // namespace
}  // namespace caravel::nuggets
