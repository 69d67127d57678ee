#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/openai/choices_answer.h"
#include "server/openai/logprobs.h"
#include "server/openai/part.h"
#include "server/openai/prompt.h"

namespace caravel::server::openai {

/// The answer of /v1/completions. Choice `prompt * n + index`.
class CompletionAnswer final : public ChoicesAnswer {
 public:
  struct Form {
    bool echo = false;  // the prompt comes before the answer
    std::optional<int> logprobs;
    std::optional<int> prompt_logprobs;
    bool tokens_as_ids = false;
    bool skip_special_tokens = true;
    int n = 1;
    std::vector<std::string> stop;
  };

  CompletionAnswer(Options options, Form form, std::vector<Prompt> prompts, const Tokenizer& tokenizer);

  void add(size_t prompt, const Delta& delta, std::string& out) override;
  void prompt_ended(size_t prompt, const Result& result, std::string& out) override;

 private:
  struct Choice {
    PartReader reader;
    TextLogprobs logprobs;
    Part held;
    bool begun = false;
  };

  /// Of the next stretch of a choice, which may be all of it. result: where it has ended.
  Json choice_json(size_t index, const Part& part, const Result* result);
  std::string prompt_text(const Prompt& prompt) const;

  Form form_;
  std::vector<Prompt> prompts_;
  TokenNames names_;
  // Prompt tokens' log-probabilities are known at the end alone.
  bool holds_;
  std::vector<Choice> choices_;
};

}  // namespace caravel::server::openai
