#include "voyager/chat_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace caravel::voyager {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Read {
  ModelAnswer answer;
  std::string problem;
  std::string shown;  // the pieces
};

/// `body` in pieces of so many bytes.
Read read(std::string_view body, size_t step) {
  Read read;
  const OnPiece show = [&](std::string_view piece) { read.shown += piece; };
  ChatReply reply(show);
  for (; !body.empty(); body.remove_prefix(std::min(step, body.size()))) reply.feed(body.substr(0, step));
  read.problem = reply.finish();
  read.answer = reply.take();
  return read;
}

TEST(ChatReply, IsTheSameHoweverItsStreamIsCut) {
  constexpr std::string_view kBody =
      ": a comment\r\n"
      "event: message\r\n"
      "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\r\n\r\n"
      "data:{\"choices\":[{\"delta\":{\"content\":\"<thi\"}}]}\n\n"
      "data: {\"choices\":[{\"delta\":{\"content\":\"nk>Wood first.</think>\\nMine \"}}]}\n"
      "data: {\"choices\":[{\"delta\":{\"content\":\"a log \\u2713\"},\"finish_reason\":null}]}\n\n"
      "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":5}}\n\n"
      "data: [DONE]";
  for (const size_t step : {1, 2, 7, 1000}) {
    const Read got = read(kBody, step);
    EXPECT_EQ(got.problem, "");
    EXPECT_EQ(got.answer.text, "Mine a log \u2713");
    EXPECT_EQ(got.answer.reasoning, "Wood first.");
    EXPECT_EQ(got.shown, "Wood first.Mine a log \u2713");
    EXPECT_FALSE(got.answer.is_cut);
    EXPECT_TRUE(got.answer.counted);
    EXPECT_EQ(got.answer.prompt_tokens, 7);
    EXPECT_EQ(got.answer.completion_tokens, 5);
  }
}

TEST(ChatReply, TakesADocumentFromWhoDoesNotStream) {
  const Read got =
      read(R"( {"choices":[{"message":{"content":"a < b","reasoning_content":"hm"},"finish_reason":"length"}],
                             "usage":{"prompt_tokens":3,"completion_tokens":2}})",
           5);
  EXPECT_EQ(got.problem, "");
  EXPECT_EQ(got.answer.text, "a < b");
  EXPECT_EQ(got.answer.reasoning, "hm");
  EXPECT_TRUE(got.answer.is_cut);
  EXPECT_EQ(got.answer.prompt_tokens, 3);
}

TEST(ChatReply, TellsACircleFromTheLimitOfTokens) {
  const std::string line = R"({"choices":[{"message":{"content":"a a a"},"finish_reason":"length","stop_reason":)";
  const Read circle = read(line + R"("repetition_detected"}]})", 5);
  EXPECT_TRUE(circle.answer.is_cut && circle.answer.goes_round);
  const Read limit = read(line + "null}]}", 5);
  EXPECT_TRUE(limit.answer.is_cut && !limit.answer.goes_round);
}

TEST(ChatReply, FindsReasoningWhoseBeginningTheTemplateWrote) {
  const Read got = read(
      "data: {\"choices\":[{\"delta\":{\"content\":\"so it is\\n</think>\\n\\nyes\"},"
      "\"finish_reason\":\"stop\"}]}\n",
      1000);
  EXPECT_EQ(got.answer.reasoning, "so it is");
  EXPECT_EQ(got.answer.text, "yes");
  EXPECT_FALSE(got.answer.counted);
}

TEST(ChatReply, BelievesNoCountThatAChatCannotHave) {
  const auto counted = [](const std::string& prompt, const std::string& completion) {
    return read(R"({"choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":)" + prompt +
                    R"(,"completion_tokens":)" + completion + "}}",
                1000)
        .answer;
  };
  EXPECT_TRUE(counted("0", "1000000000").counted);
  for (const char* const count :
       {"-1", "1e300", "9223372036854775807", "18446744073709551615", "1000000001", "1.5", "\"3\"", "null", "[]"}) {
    for (const ModelAnswer& answer : {counted(count, "3"), counted("3", count)}) {
      EXPECT_FALSE(answer.counted) << count;
      EXPECT_EQ(answer.prompt_tokens + answer.completion_tokens, 0) << count;
    }
  }
}

TEST(ChatReply, SaysWhyItIsNone) {
  EXPECT_EQ(read("", 1).problem, "the answer is no chat's: it is empty");
  EXPECT_THAT(read("<html>Bad\n gateway", 4).problem, StartsWith("the answer is no chat's: <htm"));
  EXPECT_THAT(read("data: {\"choices\":[{\"delta\":{\"content\":\"Mi\"}}]}\n\n", 9).problem, HasSubstr("ended before"));
  EXPECT_THAT(read("data: {\"choices\":[{\"del\n\n", 9).problem, HasSubstr("not JSON"));
  EXPECT_THAT(read("{\"choices\":[]}", 9).problem, HasSubstr("no choices"));
  EXPECT_THAT(read("{\"choices\":", 9).problem, HasSubstr("not JSON"));
  const OnPiece nobody;
  ChatReply reply(nobody);
  reply.feed("data: {\"error\":{\"message\":\"the context is full\",\"code\":400}}\n\ndata: [DONE]\n");
  EXPECT_EQ(reply.finish(), "the context is full");
  EXPECT_EQ(reply.error_status(), 400);
}

}  // namespace
}  // namespace caravel::voyager
