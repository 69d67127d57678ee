#include <utility>

#include "chat/message_shape.h"
#include "server/endpoint/engine_work.h"
#include "server/openai/chat_answer.h"
#include "server/openai/endpoints.h"

namespace caravel::server::openai {
namespace {

/// logprobs and top_logprobs.
void parse_logprobs(Fields& fields, ChatAnswer::Form& form, SamplingParams& sampling) {
  form.logprobs = fields.boolean("logprobs", false);
  if (const auto top = fields.integer("top_logprobs")) {
    if (!form.logprobs && *top > 0) {
      throw bad_field(fields.path("top_logprobs"), "'top_logprobs' is only allowed when 'logprobs' is enabled.");
    }
    form.top_logprobs = static_cast<size_t>(*top);
  }
  if (form.logprobs) sampling.logprobs = static_cast<int>(form.top_logprobs);
}

/// Messages as they are, or a prompt by its parts.
chat::Conversation parse_conversation(Fields& fields) {
  const Json* parts = fields.find("prompt_components");
  if (parts == nullptr) return chat::parse_conversation(fields);
  const std::string path = fields.path("prompt_components");
  if (fields.find("messages") != nullptr) throw bad_field(path, "Give one of 'messages' and 'prompt_components'.");
  return chat::parse_conversation(fields, text::render_prompt_messages(chat::parse_components(*parts, path)), path);
}

}  // namespace

std::unique_ptr<http::Work> chat_completions(const Call& call) {
  const Json body = parse_json(call.request.body);
  Fields fields(body, Surface::kChat);
  Generation generation = parse_generation(fields, Surface::kChat, call.services);
  ChatAnswer::Form form{.choices = parse_choices(fields, generation)};
  parse_logprobs(fields, form, generation.sampling);
  const chat::Conversation conversation = parse_conversation(fields);
  const std::optional<int64_t> truncation = parse_truncation(fields);
  const bool with_reasoning = fields.boolean("include_reasoning", true);
  const bool echo = fields.boolean("echo", false);
  fields.refuse_unknown();

  set_conversation(generation, conversation, truncation, call.services);
  generation.layout.with_reasoning = with_reasoning;
  if (echo && conversation.continue_final_message) {
    form.echoed = chat::text_of(conversation.messages.back().value("content", Json("")));
  }
  std::vector<std::unique_ptr<RequestHandle>> handles = submit(call, generation);
  AnswerHead head = AnswerHead::make("chatcmpl-", generation.model, call.services);
  return answer_with(call, std::move(handles),
                     std::make_unique<ChatAnswer>(std::move(generation), std::move(head), std::move(form),
                                                  call.services.engine.tokenizer()));
}

}  // namespace caravel::server::openai
