#include <limits>
#include <utility>

#include "server/openai/chat_answer.h"
#include "server/openai/conversation.h"
#include "server/openai/endpoints.h"
#include "server/openai/generation.h"
#include "server/openai/sampling_fields.h"

namespace caravel::server::openai {
namespace {

constexpr int kMaxPromptLogprobs = 128;  // the engine's

/// Messages as they are, or a prompt by its parts.
Conversation parse_conversation(Fields& fields, const Tools& tools, std::string& path) {
  Conversation conversation;
  if (const Json* parts = fields.find("prompt_components")) {
    path = fields.path("prompt_components");
    if (fields.find("messages") != nullptr) throw bad_field(path, "Give one of 'messages' and 'prompt_components'.");
    conversation.messages = text::render_prompt_messages(parse_components(*parts, path));
  } else {
    path = fields.path("messages");
    conversation.messages = parse_chat_messages(fields.require("messages"), path);
  }
  conversation.tools = tools.list;
  if (const Json* documents = fields.find("documents")) {
    conversation.documents = as_array(*documents, fields.path("documents"));
  }
  if (const Json* kwargs = fields.find("chat_template_kwargs")) {
    conversation.kwargs = as_object(*kwargs, fields.path("chat_template_kwargs"));
  }
  if (auto effort = fields.string("reasoning_effort")) conversation.kwargs["reasoning_effort"] = *std::move(effort);
  conversation.continue_final_message = fields.boolean("continue_final_message", false);
  conversation.add_generation_prompt = fields.boolean("add_generation_prompt", !conversation.continue_final_message);
  if (conversation.continue_final_message && conversation.add_generation_prompt) {
    throw bad_field(fields.path("continue_final_message"),
                    "Give one of 'continue_final_message' and 'add_generation_prompt'.");
  }
  if (fields.find("add_special_tokens") != nullptr) {
    conversation.add_special_tokens = fields.boolean("add_special_tokens", false);
  }
  return conversation;
}

int parse_max_tokens(Fields& fields) {
  constexpr int64_t kMost = std::numeric_limits<int>::max();
  const std::optional<int64_t> older = fields.integer("max_tokens", 1, kMost);
  return static_cast<int>(fields.integer("max_completion_tokens", 1, kMost).value_or(older.value_or(kMost)));
}

void parse_logprobs(Fields& fields, ChatAnswer::Form& form, SamplingParams& sampling) {
  form.logprobs = fields.boolean("logprobs", false);
  if (const auto top = fields.integer("top_logprobs", 0, kMaxTopLogprobs)) {
    if (!form.logprobs && *top > 0) {
      throw bad_field(fields.path("top_logprobs"), "'top_logprobs' is only allowed when 'logprobs' is enabled.");
    }
    form.top_logprobs = static_cast<size_t>(*top);
  }
  if (form.logprobs) sampling.logprobs = static_cast<int>(form.top_logprobs);
  if (const auto prompt = fields.integer("prompt_logprobs", 0, kMaxPromptLogprobs)) {
    form.prompt_logprobs = sampling.prompt_logprobs = static_cast<int>(*prompt);
  }
  form.tokens_as_ids = fields.boolean("return_tokens_as_token_ids", false);
}

void refuse_what_is_not_served(Fields& fields) {
  fields.refuse("functions", "use tools");
  fields.refuse("function_call", "use tool_choice");
  fields.refuse("modalities", "this model writes text alone", Json::array({"text"}));
  fields.refuse("audio", "this model writes text alone");
  fields.refuse("web_search_options", "this server searches nothing");
  fields.refuse("chat_template", "start the server with --chat-template");
  fields.ignore({"prediction", "verbosity"});
}

std::unique_ptr<http::Work> answer(const Context& context, const http::Request& request, const http::Wake& wake) {
  const Json body = parse_json(request.body);
  Fields fields(body);
  const RequestHead head = parse_head(fields, context);
  Generation generation = begin_generation(fields, head, context, "/v1/chat/completions");
  SamplingParams& sampling = generation.sampling;
  parse_answer_count(fields, sampling);
  generation.prescribe(parse_answer_form(fields));
  sampling.max_tokens = parse_max_tokens(fields);

  ChatAnswer::Form form;
  parse_logprobs(fields, form, sampling);
  if (form.prompt_logprobs && head.stream) {
    throw bad_field("prompt_logprobs", "'prompt_logprobs' are not available when 'stream' is enabled.");
  }
  Tools tools = parse_chat_tools(fields, context.tool_format);
  std::string path;
  const Conversation conversation = parse_conversation(fields, tools, path);
  if (fields.boolean("echo", false)) form.echoed = conversation.messages.back()["content"].get<std::string>();
  const std::optional<int64_t> truncation = parse_truncation(fields);
  const bool with_reasoning = fields.boolean("include_reasoning", true);
  refuse_what_is_not_served(fields);
  fields.refuse_unknown();

  Prompt prompt = render_chat(context, conversation, path);
  ChatForm chat = make_chat_form(context, std::move(tools), prompt, generation);
  chat.with_reasoning = with_reasoning;
  fit_prompt(prompt, path, truncation, sampling.max_tokens, context.engine.model());
  form.n = sampling.n;
  form.stop = sampling.stop;
  form.prompt_token_ids = prompt.tokens;
  ChoicesAnswer::Options options{.request = head,
                                 .head = AnswerHead::make("chatcmpl-", head.model, context),
                                 .object = "chat.completion",
                                 .chunk_object = "chat.completion.chunk",
                                 .prompt_tokens = static_cast<int>(prompt.tokens.size())};
  generation.prompts.push_back(std::move(prompt));
  return generate(context, request, wake, generation,
                  std::make_unique<ChatAnswer>(std::move(options), std::move(form), chat, context.engine.tokenizer()));
}

}  // namespace

std::unique_ptr<http::Work> chat_completions(const Context& context, const http::Request& request,
                                             const http::Wake& wake) {
  try {
    return answer(context, request, wake);
  } catch (const std::exception& error) {
    return http::ready(error_response(error));
  }
}

}  // namespace caravel::server::openai
