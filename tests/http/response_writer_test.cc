#include "http/response_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace caravel::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Response text(std::string body, int status = 200) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

TEST(ResponseWriter, AWholeResponseHasItsLength) {
  std::string out;
  ResponseWriter writer(out, {});
  writer.respond(text("12345"));
  writer.pack();
  EXPECT_TRUE(writer.complete());
  EXPECT_TRUE(writer.keeps_alive());
  EXPECT_THAT(out, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(out, EndsWith("Content-Length: 5\r\nConnection: keep-alive\r\n\r\n12345"));
}

TEST(ResponseWriter, PiecesOfOnePackAreOneChunk) {
  std::string out;
  ResponseWriter writer(out, {});
  writer.start({});
  writer.write("one ");
  writer.write("two");
  writer.pack();
  EXPECT_THAT(out, EndsWith("Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n7\r\none two\r\n"));
  out.clear();
  writer.pack();
  EXPECT_EQ(out, "") << "an empty chunk would end the body";
  EXPECT_FALSE(writer.complete());
  writer.write("three");
  writer.end();
  writer.pack();
  EXPECT_EQ(out, "5\r\nthree\r\n0\r\n\r\n");
  EXPECT_TRUE(writer.complete());
}

TEST(ResponseWriter, ForHeadThereIsNoBodyAndNoEndOfOne) {
  for (const bool whole : {true, false}) {
    std::string out;
    ResponseWriter writer(out, {.head_only = true});
    if (whole) {
      writer.respond(text("12345"));
    } else {
      writer.start({});
      writer.write("12345");
      writer.end();
    }
    writer.pack();
    EXPECT_THAT(out, EndsWith("\r\n\r\n"));
    EXPECT_THAT(out, Not(HasSubstr("0\r\n\r\n")));
    EXPECT_THAT(out, HasSubstr(whole ? "Content-Length: 5" : "Transfer-Encoding: chunked"));
    EXPECT_TRUE(writer.complete());
    EXPECT_TRUE(writer.keeps_alive());
  }
}

TEST(ResponseWriter, WithoutChunksTheBodyLastsAsLongAsTheConnection) {
  std::string out;
  ResponseWriter writer(out, {.takes_chunks = false});
  writer.start({});
  writer.write("one");
  writer.pack();
  EXPECT_FALSE(writer.keeps_alive());
  EXPECT_THAT(out, EndsWith("Connection: close\r\n\r\none"));
  EXPECT_THAT(out, Not(HasSubstr("Transfer-Encoding")));
  out.clear();
  writer.end();
  writer.pack();
  EXPECT_EQ(out, "");
  EXPECT_TRUE(writer.complete());
}

TEST(ResponseWriter, SaysThatTheConnectionEnds) {
  std::string out;
  ResponseWriter writer(out, {});
  writer.end_connection();
  writer.respond(text("", 204));
  EXPECT_THAT(out, EndsWith("Connection: close\r\n\r\n"));
  EXPECT_THAT(out, Not(HasSubstr("Content-Length")));
  EXPECT_FALSE(writer.keeps_alive());
}

TEST(ResponseWriter, ReplacesOnlyWhatCannotHaveLeft) {
  std::string out;
  ResponseWriter writer(out, {});
  writer.start({});
  writer.write("half");
  EXPECT_TRUE(writer.replace(text("instead", 500)));
  writer.pack();
  EXPECT_THAT(out, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(out, EndsWith("\r\n\r\ninstead"));
  std::string other;
  ResponseWriter begun(other, {});
  begun.start({});
  begun.pack();
  other.clear();
  EXPECT_FALSE(begun.replace(text("instead", 500)));
  EXPECT_EQ(other, "");
}

}  // namespace
}  // namespace caravel::http
