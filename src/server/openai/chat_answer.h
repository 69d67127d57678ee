#pragma once

#include <string>
#include <vector>

#include "server/openai/choices_answer.h"
#include "server/openai/logprobs.h"

namespace caravel::server::openai {

/// The answer of /v1/chat/completions.
class ChatAnswer final : public ChoicesAnswer {
 public:
  struct Form {
    ChoicesForm choices = {};
    bool logprobs = false;
    size_t top_logprobs = 0;
    std::string echoed = {};  // the final message, which comes before the answer that continues it
  };

  ChatAnswer(Generation generation, AnswerHead head, Form form, const Tokenizer& tokenizer);

  void add(size_t prompt, const Delta& delta, AnswerText& out) override;
  void prompt_ended(size_t prompt, const Result& result, AnswerText& out) override;

 private:
  struct Choice {
    bool begun = false;
    bool called_tools = false;
  };

  /// To be added to `out`. part: a Delta or a Completion; its message is under `message_key`.
  template <typename Part>
  Json choice_json(const Part& part, bool called_tools, const char* message_key, Json message, AnswerText& out) const;
  Json message_json(const Completion& completion) const;
  const std::vector<int32_t>& prompt_token_ids() const { return generation().prompts.front().tokens; }

  Form form_;
  TokenNames names_;
  std::vector<Choice> choices_;  // [n]
};

}  // namespace caravel::server::openai
