#include <gmock/gmock.h>

#include "rows_as_text.h"

namespace caravel::nuggets {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(RowForms, AlpacaInAnArrayAndALineEach) {
  for (const char* const text : {"[\n  {\"instruction\": \"Add\", \"input\": \"1 2\", \"output\": \"3\"},\n"
                                 "  {\"instruction\": \"Hi\", \"input\": \"\", \"output\": \"Ho\"}\n]\n",
                                 "{\"instruction\": \"Add\", \"input\": \"1 2\", \"output\": \"3\"}\r\n\r\n"
                                 "{\"instruction\": \"Hi\", \"output\": \"Ho\"}"}) {
    const RowFile file = read_text(text);
    EXPECT_EQ(file.form(), RowForm::kAlpaca);
    EXPECT_THAT(turns_of(file), ElementsAre("user:Add\n\n1 2>3", "user:Hi>Ho"));
    EXPECT_EQ(file.rows()[0].turns[0].input, "1 2");
    EXPECT_EQ(instruction_of(file.rows()[0].turns[0]), "Add");
    EXPECT_EQ(instruction_of(file.rows()[1].turns[0]), "Hi");
    EXPECT_THAT(problems_of(file), IsEmpty());
  }
}

TEST(RowForms, PairsUnderTheirUsualNames) {
  const RowFile file = read_text("{\"question\": \"2+2?\", \"answer\": 4}");
  EXPECT_EQ(file.form(), RowForm::kPrompt);
  EXPECT_THAT(turns_of(file), ElementsAre("user:2+2?>4"));
  EXPECT_THAT(turns_of(read_text("{\"prompt\": \"a\", \"completion\": \"b\"}")), ElementsAre("user:a>b"));
  EXPECT_THAT(turns_of(read_text("{\"instruction\": \"a\", \"context\": \"c\", \"response\": \"b\"}")),
              ElementsAre("user:a\n\nc>b"));
  EXPECT_THAT(turns_of(read_text("{\"system_prompt\": \"Be brief\", \"question\": \"a\", \"response\": \"b\"}")),
              ElementsAre("system:Be brief|user:a>b"));
}

TEST(RowForms, AHistoryComesBefore) {
  const RowFile file = read_text(
      "[{\"system\": \"S\", \"instruction\": \"c\", \"input\": \"\", \"output\": \"d\", \"history\": [[\"a\", \"b\"]]},"
      "{\"instruction\": \"e\", \"output\": \"f\", \"history\": []},"
      "{\"instruction\": \"g\", \"output\": \"h\", \"history\": [[\"a\"]]}]");
  EXPECT_EQ(file.form(), RowForm::kAlpaca);
  EXPECT_THAT(turns_of(file), ElementsAre("system:S|user:a>b", "system:S|user:a|assistant:b|user:c>d", "user:e>f"));
  EXPECT_THAT(problems_of(file), ElementsAre(HasSubstr("a round of its 'history' has 1 texts")));
  EXPECT_THAT(turns_of(read_text("prompt,completion,history\na,b,told before\n")), ElementsAre("user:a>b"));
}

TEST(RowForms, PromptAndCompletionOfMessages) {
  const RowFile file = read_text(
      "{\"prompt\": [{\"role\": \"system\", \"content\": \"S\"}, {\"role\": \"user\", \"content\": \"a\"}, {\"role\": "
      "\"assistant\", \"content\": \"b\"}, {\"role\": \"user\", \"content\": \"c\"}], \"completion\": [{\"role\": "
      "\"assistant\", \"content\": \"d\"}]}\n"
      "{\"prompt\": [{\"role\": \"user\", \"content\": \"a\"}], \"completion\": []}\n"
      "{\"prompt\": [{\"role\": \"user\", \"content\": \"a\"}], \"completion\": \"b\"}");
  EXPECT_EQ(file.form(), RowForm::kDialogue);
  EXPECT_THAT(turns_of(file), ElementsAre("system:S|user:a|assistant:b|user:c>d"))
      << "what the prompt has is not to be learnt";
  EXPECT_THAT(problems_of(file), ElementsAre(HasSubstr("2: no assistant answers in it"), HasSubstr("3: ")));
}

TEST(RowForms, HeadingsMayBeCapitals) {
  EXPECT_THAT(turns_of(read_text("Instruction;Input;OUTPUT\na;b;c\n")), ElementsAre("user:a\n\nb>c"));
  EXPECT_THAT(turns_of(read_text("{\"Messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", "
                                 "\"content\": \"b\"}]}")),
              ElementsAre("user:a>b"));
}

TEST(RowForms, EachInstanceIsATurn) {
  const RowFile file = read_text(
      "{\"instruction\": \"Double\", \"instances\": [{\"input\": \"2\", \"output\": \"4\"}, {\"input\": \"\", "
      "\"output\": "
      "\"?\"}, {\"output\": \" \"}]}");
  EXPECT_EQ(file.form(), RowForm::kInstances);
  EXPECT_THAT(turns_of(file), ElementsAre("user:Double\n\n2>4", "user:Double>?"));
  EXPECT_THAT(problems_of(file), ElementsAre(HasSubstr("1: 1 of its 3 answers are left out: 1 empty")));
  EXPECT_FALSE(file.problems()[0].is_skipped);
}

TEST(RowForms, AConversationHasATurnForEachAnswer) {
  const std::vector<std::string> expected = {"system:S|user:a>b", "system:S|user:a|assistant:b|user:c>d"};
  const RowFile openai = read_text(
      "{\"messages\": [{\"role\": \"system\", \"content\": \"S\"}, {\"role\": \"user\", \"content\": [{\"type\": "
      "\"text\", "
      "\"text\": \"a\"}]}, {\"role\": \"assistant\", \"content\": \"b\"}, {\"role\": \"user\", \"content\": \"c\"}, "
      "{\"role\": \"assistant\", \"content\": \"d\"}]}");
  EXPECT_EQ(openai.form(), RowForm::kMessages);
  EXPECT_EQ(turns_of(openai), expected);
  const RowFile share_gpt = read_text(
      "[{\"id\": 1, \"system\": \"S\", \"conversations\": [{\"from\": \"human\", \"value\": \"a\"}, {\"from\": "
      "\"gpt\", "
      "\"value\": \"b\"}, {\"from\": \"human\", \"value\": \"c\"}, {\"from\": \"gpt\", \"value\": \"d\"}]}]");
  EXPECT_EQ(share_gpt.form(), RowForm::kShareGpt);
  EXPECT_EQ(turns_of(share_gpt), expected);
  EXPECT_EQ(share_gpt.rows()[0].turns[0].thread, share_gpt.rows()[0].turns[1].thread);
}

TEST(RowForms, AnswersThatAreNoTurnsStayInPaths) {
  const RowFile file = read_text(
      "{\"messages\": [{\"role\": \"assistant\", \"content\": \"Welcome\"}, {\"role\": \"user\", \"content\": \"a\"}, "
      "{\"role\": \"assistant\", \"content\": \"b\", \"weight\": 0}, {\"role\": \"user\", \"content\": \"c\"}, "
      "{\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"id\": \"1\", \"function\": {\"name\": \"f\", "
      "\"arguments\": {\"x\": 1}}}]}, {\"role\": \"tool\", \"tool_call_id\": \"1\", \"content\": \"r\"}, "
      "{\"role\": \"assistant\", \"content\": \"d\"}]}");
  EXPECT_THAT(turns_of(file), ElementsAre("assistant:Welcome|user:a|assistant:b|user:c|assistant:|tool:r>d"));
  const Message& call = *file.rows()[0].turns[0].path()[4];
  ASSERT_EQ(call.tool_calls.size(), 1);
  EXPECT_EQ(call.tool_calls[0].name, "f");
  EXPECT_EQ(call.tool_calls[0].arguments, "{\"x\":1}");
  EXPECT_THAT(problems_of(file), ElementsAre(HasSubstr("1 after no text of a user")));
}

TEST(RowForms, EveryReplyInATreeIsATurn) {
  const RowFile file = read_text(
      "{\"message_tree_id\": \"t\", \"prompt\": {\"text\": \"q\", \"role\": \"prompter\", \"replies\": ["
      "{\"text\": \"a1\", \"role\": \"assistant\", \"replies\": [{\"text\": \"q2\", \"role\": \"prompter\", "
      "\"replies\": ["
      "{\"text\": \"a3\", \"role\": \"assistant\"}]}]},"
      "{\"text\": \"gone\", \"role\": \"assistant\", \"deleted\": true, \"replies\": []},"
      "{\"text\": \"a2\", \"role\": \"assistant\", \"replies\": []}]}}");
  EXPECT_EQ(file.form(), RowForm::kTree);
  EXPECT_EQ(file.rows()[0].id, "t");
  EXPECT_THAT(turns_of(file), ElementsAre("user:q>a1", "user:q|assistant:a1|user:q2>a3", "user:q>a2"));
}

TEST(RowForms, CsvWithLineBreaksInItsCells) {
  const RowFile file = read_text(
      "\xEF\xBB\xBFid,prompt,completion\r\n7,\"Write\ntwo lines\",\"one\r\n\"\"two\"\"\"\r\n8,a\r\n9,\"b, c\",d\r\n");
  EXPECT_EQ(file.syntax().layout, RowLayout::kCsv);
  EXPECT_THAT(turns_of(file), ElementsAre("user:Write\ntwo lines>one\r\n\"two\"", "user:b, c>d"));
  EXPECT_EQ(file.rows()[0].id, "7");
  EXPECT_EQ(file.rows()[1].line, 6);
  EXPECT_THAT(problems_of(file), ElementsAre("5: it has 2 cells, and the header line has 3"));
  EXPECT_THAT(turns_of(read_text("instruction;output\na;b,c\n")), ElementsAre("user:a>b,c"));
  EXPECT_THAT(turns_of(read_text("instruction\toutput\na\tb\n")), ElementsAre("user:a>b"));
}

TEST(RowForms, ColumnsAreNamed) {
  const Columns columns{.instruction = "ask", .input = "about", .output = "reply", .id = "key"};
  const RowFile file =
      read_text("{\"key\": 5, \"ask\": \"a\", \"about\": \"i\", \"reply\": \"b\", \"id\": 1}", columns);
  EXPECT_THAT(turns_of(file), ElementsAre("user:a\n\ni>b"));
  EXPECT_EQ(file.rows()[0].id, "5");
  EXPECT_THAT(turns_of(read_text("ask,about,reply\na,i,b\n", columns)), ElementsAre("user:a\n\ni>b"));
  const std::string dialog =
      "{\"dialog\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\"}]}";
  EXPECT_THAT(turns_of(read_text(dialog, {.messages = "dialog"})), ElementsAre("user:a>b"));
  EXPECT_EQ(
      refusal_of("{\"a\": 1, \"b\": 2}", {.output = "reply"}),
      "data: its first rows have the keys a, b, not the columns that were named (reply) with what belongs to them");
}

}  // namespace
}  // namespace caravel::nuggets
