#include "nuggets/columns.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace caravel::nuggets {
namespace {

using testing::HasSubstr;

std::string refusal(std::string_view text) {
  try {
    parse_columns(text);
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "no error";
}

TEST(Columns, AreNamedByAnyWordForThem) {
  const Columns columns = parse_columns("question=ask it,response=reply,id=key");
  EXPECT_EQ(columns.instruction, "ask it");
  EXPECT_EQ(columns.output, "reply");
  EXPECT_EQ(columns.id, "key");
  EXPECT_EQ(columns.input, "");
  EXPECT_EQ(parse_columns("conversations=c=d").messages, "c=d");
  EXPECT_EQ(parse_columns("").output, "");
}

TEST(Columns, WhatNamesNoneIsRefused) {
  EXPECT_THAT(refusal("instructoin=a"), HasSubstr("'instructoin=a' names no column"));
  EXPECT_THAT(refusal("output"), HasSubstr("'output' names no column"));
  EXPECT_THAT(refusal("output=a,answer=b"), HasSubstr("'answer=b': answer has been named before"));
  EXPECT_THAT(refusal("output="), HasSubstr("no name"));
  EXPECT_THAT(refusal("messages=a,output=b"), HasSubstr("messages has the whole turns"));
}

}  // namespace
}  // namespace caravel::nuggets
