#include "text/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "fixtures.h"

namespace caravel::text {
namespace {

using nlohmann::ordered_json;

const std::string kFolder = tests::fixtures() + "/templates/";

ChatInput read_chat_input(const ordered_json& json) {
  ChatInput input;
  input.messages = json.at("messages");
  input.tools = json.at("tools");
  input.documents = json.at("documents");
  input.add_generation_prompt = json.at("add_generation_prompt");
  input.kwargs = json.at("kwargs");
  input.bos_token = json.at("bos_token");
  input.eos_token = json.at("eos_token");
  const std::time_t seconds = json.at("now");
  std::tm now{};
  gmtime_r(&seconds, &now);
  input.now = now;
  return input;
}

TEST(ChatTemplate, RendersAsTransformersDoes) {
  const ordered_json goldens = ordered_json::parse(read_file(kFolder + "goldens.json"));
  ASSERT_GE(goldens.size(), 18u);
  for (const ordered_json& golden : goldens) {
    SCOPED_TRACE(golden["template"].get<std::string>() + ": " + golden["case"].get<std::string>());
    const ChatTemplate chat_template(read_file(kFolder + golden["template"].get<std::string>()));
    const ChatInput input = read_chat_input(golden["input"]);
    if (golden["expected"].contains("text")) {
      EXPECT_EQ(chat_template.render(input), golden["expected"]["text"].get<std::string>());
    } else {
      EXPECT_THROW(chat_template.render(input), InvalidArgument);
    }
  }
}

TEST(ChatTemplate, ReasoningIsFoundUnderItsOlderNames) {
  const ChatTemplate chat_template("{% for m in messages %}{{ m.reasoning_content }}/{{ m.thinking }};{% endfor %}");
  ChatInput input;
  input.messages =
      ordered_json::parse(R"([{"role": "assistant", "reasoning": "a"}, {"role": "assistant", "thinking": "b"},
                                           {"role": "user", "content": "c"}])");
  EXPECT_EQ(chat_template.render(input), "a/a;b/b;/;");
}

TEST(ChatTemplate, KeywordsComeLastAndTokensMayBeAbsent) {
  ChatInput input;
  input.messages = ordered_json::array();
  input.eos_token = "</s>";
  input.kwargs = {{"eos_token", "<end>"}};
  EXPECT_EQ(ChatTemplate("{{ bos_token is defined }}{{ eos_token }}").render(input), "False<end>");
}

TEST(ChatTemplate, RefusesMessagesThatAreNone) {
  ChatInput input;
  input.messages = ordered_json::parse(R"(["hello"])");
  EXPECT_THROW(ChatTemplate("x").render(input), InvalidArgument);
  input.messages = ordered_json::parse("{}");
  EXPECT_THROW(ChatTemplate("x").render(input), InvalidArgument);
}

TEST(ChatTemplate, AnyThreadMayRender) {
  const ChatTemplate chat_template(
      "{% set n = namespace(s='') %}{% for m in messages %}{% set n.s = n.s ~ m.content %}{% endfor %}{{ n.s }}");
  std::vector<std::string> texts(4);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < texts.size(); ++i) {
    threads.emplace_back([&, i] {
      ChatInput input;
      input.messages = ordered_json::array();
      for (int j = 0; j < 100; ++j) input.messages.push_back({{"role", "user"}, {"content", std::to_string(i)}});
      texts[i] = chat_template.render(input);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i], std::string(100, static_cast<char>('0' + i)));
}

}  // namespace
}  // namespace caravel::text
