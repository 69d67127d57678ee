#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "chat/renderer.h"
#include "fixtures.h"
#include "nuggets/rows_as_text.h"
#include "nuggets/shot_template.h"

namespace caravel::nuggets {
namespace {

using testing::HasSubstr;

// As ChatML, Llama 3, Mistral, Gemma and models before chat tokens have it.
const std::string kChatMl =
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
const std::string kHeaders =
    "{{ bos_token }}{{ '<|system|>\n\nToday is the 3rd.\n\n' }}"
    "{% if messages[0].role == 'system' %}{{ messages[0].content }}{% set messages = messages[1:] %}{% endif %}"
    "{{ '<|eot|>' }}{% for m in messages %}{{ '<|' + m.role + '|>\n\n' + m.content | trim + '<|eot|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n\n' }}{% endif %}";
const std::string kInst =
    "{{ bos_token }}{% if messages[0].role == 'system' %}{% set s = messages[0].content + '\n\n' %}"
    "{% set messages = messages[1:] %}{% else %}{% set s = '' %}{% endif %}"
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}"
    "{% if m.role == 'user' %}{{ '[INST] ' + (s if loop.first else '') + m.content + ' [/INST]' }}"
    "{% else %}{{ ' ' + m.content + eos_token }}{% endif %}{% endfor %}";
const std::string kTurns =
    "{{ bos_token }}{% for m in messages %}{{ '<start_of_turn>' + ('model' if m.role == 'assistant' else m.role) + '\n'"
    " + m.content | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}";
const std::string kPlain =
    "A chat.\n\n{% for m in messages %}{{ m.role + ': ' + m.content + '\n\n' }}{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}";

const char* const kRows = R"([
  {"prompt": "What is 1 + 1?", "completion": "2"},
  {"prompt": "Name a colour.\nOne alone.", "completion": "It is blue."},
  {"prompt": "Grüße 你好 🙂", "completion": "e\u0301"},
  {"prompt": "Question", "completion": "Answer"},
  {"prompt": "Say \"[/INST]\", <|x|> and {{ this }}.", "completion": "[INST] {% raw %}"},
  {"prompt": "list\n- a\n- b", "completion": "```\ncode()\n```"}
])";
const char* const kConversations = R"([
  {"messages": [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "How are you?"}, {"role": "assistant", "content": "Fine."}]},
  {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"},
    {"role": "assistant", "content": "Because."}, {"role": "user", "content": "So?"},
    {"role": "assistant", "content": "So."}]},
  {"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "u"},
    {"role": "assistant", "content": "a"}]}
])";

std::vector<Turn> turns_in(const RowFile& file) {
  std::vector<Turn> turns;
  for (const Row& row : file.rows()) turns.insert(turns.end(), row.turns.begin(), row.turns.end());
  return turns;
}

/// Messages of a turn: its path, a system message in front of the first of the user where there must be none.
Json messages_of(const Turn& turn, bool joins_system) {
  Json messages = Json::array();
  std::string system;
  for (const Message* const message : turn.path()) {
    if (joins_system && message->role == "system") {
      system = message->content + "\n\n";
      continue;
    }
    messages.push_back({{"role", message->role}, {"content", system + message->content}});
    system.clear();
  }
  return messages;
}

struct ChatModel {
  const char* tokenizer;  // of a fixture
  std::string chat_template;
};

class ChatShotsOfModels : public testing::TestWithParam<ChatModel> {
 protected:
  std::vector<int32_t> rendered(const Json& messages) const {
    chat::Conversation conversation;
    conversation.messages = messages;
    return renderer_.render(conversation).tokens;
  }

  const std::unique_ptr<Tokenizer> tokenizer_ = open_tokenizer(tests::model_fixture(GetParam().tokenizer));
  const chat::Renderer renderer_{*tokenizer_, GetParam().chat_template};
};
INSTANTIATE_TEST_SUITE_P(Models, ChatShotsOfModels,
                         testing::Values(ChatModel{"llama", kChatMl},
                                         ChatModel{"llama", read_file(tests::fixtures() + "/templates/chatml.jinja")},
                                         ChatModel{"llama3", kHeaders}, ChatModel{"mistral", kInst},
                                         ChatModel{"gemma3", kTurns}, ChatModel{"llama", kPlain},
                                         ChatModel{"mistral", kHeaders}, ChatModel{"gemma3", kChatMl}));

// What is scored is what the model would be shown of the conversation that begins with the example.
TEST_P(ChatShotsOfModels, ExampleAndQuestionAreTheWholeRendering) {
  const auto shots = chat_shots(*tokenizer_, renderer_, {});
  for (const char* const rows : {kRows, kConversations}) {
    const RowFile file = read_text(rows);
    const std::vector<Turn> turns = turns_in(file);
    ASSERT_GE(turns.size(), 5U);
    for (const Turn& z : turns) {
      const std::vector<int32_t> example = shots->example(z);
      for (const Turn& t : turns) {
        const TaskTokens task = shots->task(t);
        Json messages = messages_of(z, false);
        messages.push_back({{"role", "assistant"}, {"content", z.answer()}});
        for (const Json& message : messages_of(t, true)) messages.push_back(message);
        std::vector<int32_t> joined = example;
        joined.insert(joined.end(), task.question.begin(), task.question.end());
        ASSERT_EQ(joined, rendered(messages)) << tokenizer_->decode(joined, false) << "\n--- against ---\n"
                                              << tokenizer_->decode(rendered(messages), false);
        ASSERT_EQ(task.alone, rendered(messages_of(t, true)));
        ASSERT_EQ(task.answer, tokenizer_->encode(t.answer(), {.add_special = false, .parse_special = false}));
      }
    }
  }
}

TEST_P(ChatShotsOfModels, TheOriginalCutsAnswersAndDropsTheStartOfTheZeroShotPrompt) {
  const auto plain = chat_shots(*tokenizer_, renderer_, {});
  const auto original = chat_shots(*tokenizer_, renderer_, {.original = true});
  const RowFile file = read_text(R"({"prompt": "Sing.", "completion": ")" + [] {
    std::string words;
    for (int i = 0; i < 250; ++i) words += "la" + std::to_string(i) + " ";
    return words;
  }() + "\"}");
  const Turn& turn = file.rows()[0].turns[0];
  const TaskTokens whole = plain->task(turn);
  const TaskTokens cut = original->task(turn);
  ASSERT_GT(whole.answer.size(), 200U);
  EXPECT_EQ(cut.answer, std::vector(whole.answer.begin(), whole.answer.begin() + 200));
  EXPECT_EQ(cut.question, whole.question);
  EXPECT_EQ(original->example(turn), plain->example(turn));
  const bool has_start = whole.alone.front() == tokenizer_->bos_id();
  EXPECT_EQ(cut.alone, std::vector(whole.alone.begin() + (has_start ? 1 : 0), whole.alone.end()));
}

std::string refusal_of_template(const std::string& chat_template) {
  const auto tokenizer = open_tokenizer(tests::model_fixture("llama"));
  const chat::Renderer renderer(*tokenizer, chat_template);
  try {
    chat_shots(*tokenizer, renderer, {});
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "no error";
}

TEST(ChatShots, ATemplateThatShowsNoExampleIsRefused) {
  EXPECT_THAT(refusal_of_template("{{ messages[-1].content }}<|im_end|>"), HasSubstr("use --template alpaca"));
  EXPECT_THAT(refusal_of_template("{{ messages | length }} {{ messages[-1].content }}"),
              HasSubstr("use --template alpaca"))
      << "the prompt without an example is no beginning of one with it";
  EXPECT_THAT(refusal_of_template("{% if messages | length > 1 %}{{ raise_exception('one alone') }}{% endif %}"
                                  "{{ messages[0].content }}"),
              HasSubstr("one alone"));
  EXPECT_NE(refusal_of_template(""), "no error") << "there is none";
}

TEST(ChatShots, WhatTheTemplateCannotShowIsTheRowsProblem) {
  const auto tokenizer = open_tokenizer(tests::model_fixture("mistral"));
  const chat::Renderer renderer(*tokenizer, kInst);
  const auto shots = chat_shots(*tokenizer, renderer, {});
  const RowFile file = read_text(R"({"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"},
                                      {"role": "assistant", "content": "c"}]})");
  EXPECT_THROW(shots->example(file.rows()[0].turns[0]), InvalidArgument);
  EXPECT_THROW(shots->task(file.rows()[0].turns[0]), InvalidArgument);
}

TEST(ChatShots, CallsOfToolsAreShownAsTheTemplateHasThem) {
  const auto tokenizer = open_tokenizer(tests::model_fixture("llama"));
  const chat::Renderer renderer(*tokenizer,
                                "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% for c in m.tool_calls or [] %}"
                                "{{ c.function.name }}({{ c.function.arguments | tojson }}){% endfor %};{% endfor %}"
                                "{% if add_generation_prompt %}<assistant>{% endif %}");
  const auto shots = chat_shots(*tokenizer, renderer, {});
  const RowFile file = read_text(R"({"messages": [{"role": "user", "content": "u1"},
    {"role": "assistant", "tool_calls": [{"id": "1", "type": "function",
      "function": {"name": "f", "arguments": "{\"x\": 1}"}}]},
    {"role": "tool", "tool_call_id": "1", "content": "t"}, {"role": "assistant", "content": "a2"}]})");
  EXPECT_EQ(tokenizer->decode(shots->task(file.rows()[0].turns[0]).alone, false),
            "<user>u1;<assistant>f({\"x\": 1});<tool>t;<assistant>");
}

// Whoever speaks first behind the system message, nobody's words become another's.
TEST(ChatShots, ASystemMessageOfATaskIsTheUsers) {
  const auto tokenizer = open_tokenizer(tests::model_fixture("llama"));
  const chat::Renderer renderer(*tokenizer, kChatMl);
  const auto shots = chat_shots(*tokenizer, renderer, {});
  const RowFile file = read_text(R"({"messages": [{"role": "system", "content": "S"},
    {"role": "assistant", "content": "Welcome."}, {"role": "user", "content": "u"},
    {"role": "assistant", "content": "a"}]})");
  EXPECT_EQ(tokenizer->decode(shots->task(file.rows()[0].turns[0]).alone, false),
            "<|im_start|>user\nS<|im_end|>\n<|im_start|>assistant\nWelcome.<|im_end|>\n<|im_start|>user\nu<|im_end|>\n"
            "<|im_start|>assistant\n");
}

}  // namespace
}  // namespace caravel::nuggets
