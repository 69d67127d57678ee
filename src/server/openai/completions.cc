#include <algorithm>
#include <utility>

#include "server/endpoint/engine_work.h"
#include "server/openai/completion_answer.h"
#include "server/openai/endpoints.h"

namespace caravel::server::openai {
namespace {

/// A prompt as a text, as token ids, as lists of either, or by its parts.
std::vector<chat::Prompt> find_prompts(Fields& fields, const Tokenizer& tokenizer,
                                       const std::optional<chat::PromptRoom>& room, std::string& path) {
  const bool add_special_tokens = fields.boolean("add_special_tokens", true);
  const Json* parts = fields.find("prompt_components");
  if (parts == nullptr) {
    path = fields.path("prompt");
    return parse_prompts(fields.require("prompt"), path, tokenizer, add_special_tokens, room);
  }
  path = fields.path("prompt_components");
  if (fields.find("prompt") != nullptr) throw bad_field(path, "Give one of 'prompt' and 'prompt_components'.");
  std::string text = text::render_prompt(chat::parse_components(*parts, path));
  if (room) chat::check_room(text, *room, path, tokenizer);
  return {chat::text_prompt(std::move(text), tokenizer, add_special_tokens)};
}

}  // namespace

std::unique_ptr<http::Work> completions(const Call& call) {
  const Json body = parse_json(call.request.body);
  Fields fields(body, Surface::kCompletions);
  const Engine& engine = call.services.engine;
  Generation generation = parse_generation(fields, Surface::kCompletions, call.services);
  SamplingParams& sampling = generation.sampling;
  CompletionAnswer::Form form{.choices = parse_choices(fields, generation),
                              .echo = fields.boolean("echo", false),
                              .logprobs = sampling.logprobs};
  if (form.echo && form.logprobs) {
    sampling.prompt_logprobs = std::max(*form.logprobs, form.choices.prompt_logprobs.value_or(0));
  }
  const std::optional<int64_t> truncation = parse_truncation(fields);
  std::string path;
  generation.prompts =
      find_prompts(fields, engine.tokenizer(), room_of(truncation, *sampling.max_tokens, engine.model()), path);
  fields.refuse_unknown();

  for (chat::Prompt& prompt : generation.prompts) {
    fit_prompt(prompt, path, truncation, *sampling.max_tokens, engine.model(), engine.tokenizer());
  }
  std::vector<std::unique_ptr<RequestHandle>> handles = submit(call, generation);
  AnswerHead head = AnswerHead::make("cmpl-", generation.model, call.services);
  return answer_with(
      call, std::move(handles),
      std::make_unique<CompletionAnswer>(std::move(generation), std::move(head), std::move(form), engine.tokenizer()));
}

}  // namespace caravel::server::openai
