#include "server/openai/completion_answer.h"

#include <utility>

namespace caravel::server::openai {

CompletionAnswer::CompletionAnswer(Generation generation, AnswerHead head, Form form, const Tokenizer& tokenizer)
    : ChoicesAnswer(std::move(generation), std::move(head), "text_completion", "text_completion"),
      form_(std::move(form)),
      names_{.tokenizer = tokenizer, .as_ids = form_.choices.tokens_as_ids},
      waits_for_end_(!streams() || (form_.echo && form_.logprobs)) {
  const size_t count = this->generation().prompts.size() * n();
  choices_.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    choices_.push_back({.logprobs = {names_, static_cast<size_t>(form_.logprobs.value_or(0)),
                                     this->generation().sampling.skip_special_tokens},
                        .begun = false});
  }
}

std::string CompletionAnswer::prompt_text(const chat::Prompt& prompt) const {
  return prompt.text ? *prompt.text : names_.tokenizer.decode(prompt.tokens, generation().sampling.skip_special_tokens);
}

void CompletionAnswer::add(size_t prompt, const Delta& delta, AnswerText& out) {
  count_tokens(delta.token_ids.size());
  if (!waits_for_end_) add_chunk(choice_json(prompt, delta, nullptr, out), out);
}

void CompletionAnswer::prompt_ended(size_t prompt, const Result& result, AnswerText& out) {
  add_usage_of(result);
  if (!waits_for_end_) return;
  for (const Completion& completion : result.completions) {
    Json choice = choice_json(prompt, completion, &result, out);
    if (streams()) {
      add_chunk(std::move(choice), out);
    } else {
      add_choice(std::move(choice));
    }
  }
}

template <typename Part>
Json CompletionAnswer::choice_json(size_t prompt_number, const Part& part, const Result* result, AnswerText& out) {
  const size_t index = prompt_number * n() + static_cast<size_t>(part.index);
  Choice& choice = choices_[index];
  const chat::Prompt& prompt = generation().prompts[prompt_number];
  const bool first = !std::exchange(choice.begun, true);
  std::string echoed;
  TextLogprobs::Prompt shown;
  if (first && form_.echo) {
    echoed = prompt_text(prompt);
    if (form_.logprobs) shown = {.tokens = prompt.tokens, .logprobs = result->prompt_logprobs, .text = echoed};
  }
  Json json = {{"index", index}, {"text", echoed + part.text}, {"logprobs", nullptr}};
  if (form_.logprobs) json["logprobs"] = choice.logprobs.json(shown, part.logprobs, out);
  json["finish_reason"] = finish_reason_json(part.finish_reason, /*called_tools=*/false);
  json["stop_reason"] = stop_reason_json(part.finish_reason, part.stop_reason);
  if (generation().return_token_ids) {
    if (first) json["prompt_token_ids"] = prompt.tokens;
    json["token_ids"] = part.token_ids;
  }
  if (const auto& top = form_.choices.prompt_logprobs) {
    json["prompt_logprobs"] =
        prompt_logprobs_json(result->prompt_logprobs, static_cast<size_t>(*top), names_.tokenizer, out);
  }
  return json;
}

}  // namespace caravel::server::openai
