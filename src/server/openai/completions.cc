#include <algorithm>
#include <utility>

#include "server/openai/completion_answer.h"
#include "server/openai/endpoints.h"
#include "server/openai/generation.h"
#include "server/openai/sampling_fields.h"

namespace caravel::server::openai {
namespace {

constexpr int kMaxLogprobs = 128;      // the engine's
constexpr int kDefaultMaxTokens = 16;  // OpenAI's

/// A prompt as a text, as token ids, as lists of either, or by its parts.
std::vector<Prompt> find_prompts(Fields& fields, const Tokenizer& tokenizer, std::string& path) {
  const bool add_special_tokens = fields.boolean("add_special_tokens", true);
  const Json* parts = fields.find("prompt_components");
  if (parts == nullptr) {
    path = fields.path("prompt");
    return parse_prompts(fields.require("prompt"), path, tokenizer, add_special_tokens);
  }
  path = fields.path("prompt_components");
  if (fields.find("prompt") != nullptr) throw bad_field(path, "Give one of 'prompt' and 'prompt_components'.");
  const text::PromptComponents components = parse_components(*parts, path);
  return {text_prompt(text::render_prompt(components), tokenizer, add_special_tokens)};
}

std::optional<int> small_integer(Fields& fields, std::string_view name, int high) {
  const std::optional<int64_t> value = fields.integer(name, 0, high);
  return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

std::unique_ptr<http::Work> answer(const Context& context, const http::Request& request, const http::Wake& wake) {
  const Json body = parse_json(request.body);
  Fields fields(body);
  const Tokenizer& tokenizer = context.engine.tokenizer();
  const RequestHead head = parse_head(fields, context);

  Generation generation = begin_generation(fields, head, context, "/v1/completions");
  SamplingParams& sampling = generation.sampling;
  parse_answer_count(fields, sampling);
  generation.prescribe(parse_answer_form(fields));
  sampling.max_tokens =
      small_integer(fields, "max_tokens", std::numeric_limits<int>::max()).value_or(kDefaultMaxTokens);

  CompletionAnswer::Form form{.echo = fields.boolean("echo", false),
                              .logprobs = small_integer(fields, "logprobs", kMaxLogprobs),
                              .prompt_logprobs = small_integer(fields, "prompt_logprobs", kMaxLogprobs),
                              .tokens_as_ids = fields.boolean("return_tokens_as_token_ids", false),
                              .skip_special_tokens = sampling.skip_special_tokens,
                              .n = sampling.n,
                              .stop = sampling.stop};
  if (form.prompt_logprobs && head.stream) {
    throw bad_field("prompt_logprobs", "'prompt_logprobs' are not available when 'stream' is enabled.");
  }
  sampling.logprobs = form.logprobs;
  sampling.prompt_logprobs = form.prompt_logprobs;
  if (form.echo && form.logprobs) {
    sampling.prompt_logprobs = std::max(*form.logprobs, form.prompt_logprobs.value_or(0));
  }

  std::string path;
  generation.prompts = find_prompts(fields, tokenizer, path);
  const std::optional<int64_t> truncation = parse_truncation(fields);
  fields.refuse("suffix", "this model completes at the end alone", "");
  fields.refuse_unknown();
  int prompt_tokens = 0;
  for (Prompt& prompt : generation.prompts) {
    fit_prompt(prompt, path, truncation, sampling.max_tokens, context.engine.model());
    prompt_tokens += static_cast<int>(prompt.tokens.size());
  }
  ChoicesAnswer::Options options{.request = head,
                                 .head = AnswerHead::make("cmpl-", head.model, context),
                                 .object = "text_completion",
                                 .chunk_object = "text_completion",
                                 .prompt_tokens = prompt_tokens};
  return generate(
      context, request, wake, generation,
      std::make_unique<CompletionAnswer>(std::move(options), std::move(form), generation.prompts, tokenizer));
}

}  // namespace

std::unique_ptr<http::Work> completions(const Context& context, const http::Request& request, const http::Wake& wake) {
  try {
    return answer(context, request, wake);
  } catch (const std::exception& error) {
    return http::ready(error_response(error));
  }
}

}  // namespace caravel::server::openai
