#include "server/openai/completion_answer.h"

#include <utility>

namespace caravel::server::openai {

CompletionAnswer::CompletionAnswer(Options options, Form form, std::vector<Prompt> prompts,
                                   const Tokenizer& tokenizer)
    : ChoicesAnswer(std::move(options)),
      form_(std::move(form)),
      prompts_(std::move(prompts)),
      names_{.tokenizer = tokenizer, .as_ids = form_.tokens_as_ids},
      holds_(!streams() || (form_.echo && form_.logprobs)) {
  const size_t count = prompts_.size() * static_cast<size_t>(form_.n);
  choices_.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    choices_.push_back(
        {.reader = {nullptr, true, false},
         .logprobs = {names_, static_cast<size_t>(form_.logprobs.value_or(0)), form_.skip_special_tokens},
         .held = {},
         .begun = false});
  }
}

std::string CompletionAnswer::prompt_text(const Prompt& prompt) const {
  return prompt.text ? *prompt.text : names_.tokenizer.decode(prompt.tokens, form_.skip_special_tokens);
}

void CompletionAnswer::add(size_t prompt, const Delta& delta, std::string& out) {
  count_tokens(delta.token_ids.size());
  const size_t index = prompt * static_cast<size_t>(form_.n) + static_cast<size_t>(delta.index);
  Choice& choice = choices_[index];
  std::optional<Part> part = choice.reader.read(delta);
  if (!part) return;
  if (holds_) {
    choice.held.append(std::move(*part));
  } else {
    add_chunk(choice_json(index, *part, nullptr), out);
  }
}

void CompletionAnswer::prompt_ended(size_t prompt, const Result& result, std::string& out) {
  add_usage_of(result);
  if (!holds_) return;
  for (size_t i = 0; i < static_cast<size_t>(form_.n); ++i) {
    const size_t index = prompt * static_cast<size_t>(form_.n) + i;
    Json choice = choice_json(index, choices_[index].held, &result);
    if (streams()) {
      add_chunk(std::move(choice), out);
    } else {
      add_choice(std::move(choice));
    }
  }
}

Json CompletionAnswer::choice_json(size_t index, const Part& part, const Result* result) {
  Choice& choice = choices_[index];
  const Prompt& prompt = prompts_[index / static_cast<size_t>(form_.n)];
  const bool first = !std::exchange(choice.begun, true);
  std::string text;
  if (first && form_.echo) {
    text = prompt_text(prompt);
    if (form_.logprobs) {
      choice.logprobs.add_prompt(prompt.tokens, result->prompt_logprobs, text);
    }
  }
  text += part.joined(chat::Piece::Kind::kContent);
  Json json = {{"index", index}, {"text", std::move(text)}, {"logprobs", nullptr}};
  if (form_.logprobs) {
    choice.logprobs.add(part.logprobs);
    json["logprobs"] = choice.logprobs.take();
  }
  json["finish_reason"] = finish_reason_json(part);
  json["stop_reason"] = stop_reason_json(part, form_.stop);
  if (options().request.return_token_ids) {
    if (first) json["prompt_token_ids"] = prompt.tokens;
    json["token_ids"] = part.token_ids;
  }
  if (form_.prompt_logprobs) {
    json["prompt_logprobs"] =
        prompt_logprobs_json(result->prompt_logprobs, static_cast<size_t>(*form_.prompt_logprobs), names_.tokenizer);
  }
  return json;
}

}  // namespace caravel::server::openai
