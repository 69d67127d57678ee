#pragma once

#include <string>
#include <vector>

#include "server/openai/chat_form.h"
#include "server/openai/choices_answer.h"
#include "server/openai/logprobs.h"

namespace caravel::server::openai {

/// The answer of /v1/chat/completions.
class ChatAnswer final : public ChoicesAnswer {
 public:
  struct Form {
    bool logprobs = false;
    size_t top_logprobs = 0;
    std::optional<int> prompt_logprobs;
    bool tokens_as_ids = false;
    int n = 1;
    std::vector<std::string> stop;
    std::string echoed;  // the final message, which comes before the answer that continues it
    std::vector<int32_t> prompt_token_ids;
  };

  ChatAnswer(Options options, Form form, const ChatForm& chat, const Tokenizer& tokenizer);

  void add(size_t prompt, const Delta& delta, std::string& out) override;
  void prompt_ended(size_t prompt, const Result& result, std::string& out) override;

 private:
  struct Choice {
    PartReader reader;
    Part held;
    bool begun = false;
  };

  Json choice_json(size_t index, const Part& part, const char* message_key, Json message) const;
  Json delta_json(const Part& part) const;
  Json message_json(const Part& part) const;

  Form form_;
  TokenNames names_;
  std::vector<Choice> choices_;  // [n]
};

}  // namespace caravel::server::openai
