#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/openai/choices_answer.h"
#include "server/openai/logprobs.h"

namespace caravel::server::openai {

/// The answer of /v1/completions. Choice `prompt * n + index`.
class CompletionAnswer final : public ChoicesAnswer {
 public:
  struct Form {
    ChoicesForm choices = {};
    bool echo = false;  // the prompt comes before the answer
    std::optional<int> logprobs = std::nullopt;
  };

  CompletionAnswer(Generation generation, AnswerHead head, Form form, const Tokenizer& tokenizer);

  void add(size_t prompt, const Delta& delta, AnswerText& out) override;
  void prompt_ended(size_t prompt, const Result& result, AnswerText& out) override;

 private:
  struct Choice {
    TextLogprobs logprobs;
    bool begun = false;
  };

  /// The next stretch of a choice, or all of it, to be added to `out`. part: a Delta or a Completion; result: where the
  /// prompt has ended.
  template <typename Part>
  Json choice_json(size_t prompt, const Part& part, const Result* result, AnswerText& out);
  std::string prompt_text(const chat::Prompt& prompt) const;

  Form form_;
  TokenNames names_;
  // Prompt tokens' log-probabilities are known at the end alone.
  bool waits_for_end_;
  std::vector<Choice> choices_;
};

}  // namespace caravel::server::openai
