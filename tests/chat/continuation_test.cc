#include "chat/continuation.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "chat/byte_tokenizer.h"
#include "chat/renderer.h"
#include "fixtures.h"

namespace caravel::chat {
namespace {

// tests/fixtures/templates/make_continuations.py asks transformers.
TEST(Continuation, CutsWhereTransformersCuts) {
  const Json rows = Json::parse(read_file(tests::fixtures() + "/templates/continuations.json"));
  ASSERT_GT(rows.size(), 100U);
  const Tokenizer tokenizer = byte_tokenizer();
  for (const Json& row : rows) {
    const Renderer renderer(tokenizer, row["template"].get<std::string>());
    const Json body = {{"messages", row["messages"]}, {"continue_final_message", true}};
    Fields fields(body);
    const Conversation conversation = parse_conversation(fields);
    const auto what = [&] { return row["name"].get<std::string>() + ": " + row["messages"].back().dump(); };
    if (row["text"].is_null()) {
      EXPECT_THROW(renderer.render(conversation), FieldError) << what();
    } else {
      EXPECT_EQ(renderer.render(conversation).text, row["text"].get<std::string>()) << what();
    }
  }
}

TEST(Continuation, NeedsAContent) {
  Json messages = Json::parse(R"([{"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}])");
  EXPECT_THROW(Continuation{messages}, InvalidArgument);
  messages[0]["content"] = nullptr;
  EXPECT_THROW(Continuation{messages}, InvalidArgument);
}

}  // namespace
}  // namespace caravel::chat
