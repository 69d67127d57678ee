#include <limits>
#include <utility>

#include "server/openai/conversation.h"
#include "server/openai/endpoints.h"
#include "server/openai/generation.h"
#include "server/openai/message_answer.h"

namespace caravel::server::openai {
namespace {

void append_line(std::string& text, const std::string& more) {
  if (!text.empty()) text += '\n';
  text += more;
}

/// A user's blocks become the results of calls, each a message of its own, and then a text.
void add_user_blocks(const Json& blocks, const std::string& path, Json& messages) {
  std::string text;
  const size_t before = messages.size();
  size_t index = 0;
  for (const Json& block : as_array(blocks, path)) {
    Fields fields(block, join_path(path, index++));
    const std::string& type = as_one_of(fields.require("type"), fields.path("type"), {"text", "tool_result"});
    fields.ignore({"cache_control", "citations", "is_error"});
    if (type == "text") {
      append_line(text, as_string(fields.require("text"), fields.path("text")));
    } else {
      const Json* content = fields.find("content");
      messages.push_back({{"role", "tool"},
                          {"content", content == nullptr ? "" : parse_content(*content, fields.path("content"))},
                          {"tool_call_id", as_string(fields.require("tool_use_id"), fields.path("tool_use_id"))}});
    }
    fields.refuse_unknown();
  }
  // Results need no text beside them; a turn of nothing is an empty text, as it is where the content is a string.
  if (!text.empty() || messages.size() == before) messages.push_back({{"role", "user"}, {"content", text}});
}

Json assistant_message(const Json& blocks, const std::string& path) {
  std::string text;
  std::string reasoning;
  Json calls = Json::array();
  size_t index = 0;
  for (const Json& block : as_array(blocks, path)) {
    Fields fields(block, join_path(path, index++));
    const std::string& type =
        as_one_of(fields.require("type"), fields.path("type"), {"text", "tool_use", "thinking", "redacted_thinking"});
    fields.ignore({"cache_control", "citations", "signature", "data"});
    if (type == "text") {
      append_line(text, as_string(fields.require("text"), fields.path("text")));
    } else if (type == "thinking") {
      append_line(reasoning, as_string(fields.require("thinking"), fields.path("thinking")));
    } else if (type == "tool_use") {
      calls.push_back({{"id", as_string(fields.require("id"), fields.path("id"))},
                       {"type", "function"},
                       {"function",
                        {{"name", as_string(fields.require("name"), fields.path("name"))},
                         {"arguments", as_object(fields.require("input"), fields.path("input"))}}}});
    }
    fields.refuse_unknown();
  }
  Json message = {{"role", "assistant"}, {"content", text}};
  if (!reasoning.empty()) message["reasoning_content"] = reasoning;
  if (!calls.empty()) message["tool_calls"] = std::move(calls);
  return message;
}

Json parse_turns(const Json& value, const std::string& path, std::optional<std::string> system) {
  Json messages = Json::array();
  if (system) messages.push_back({{"role", "system"}, {"content", *std::move(system)}});
  size_t index = 0;
  for (const Json& item : as_array(value, path)) {
    Fields fields(item, join_path(path, index++));
    const std::string& role = as_one_of(fields.require("role"), fields.path("role"), {"user", "assistant"});
    const Json& content = fields.require("content");
    fields.refuse_unknown();
    if (content.is_string()) {
      messages.push_back({{"role", role}, {"content", content}});
    } else if (role == "user") {
      add_user_blocks(content, fields.path("content"), messages);
    } else {
      messages.push_back(assistant_message(content, fields.path("content")));
    }
  }
  if (index == 0) throw bad_field(path, "at least one message is required");
  return messages;
}

/// thinking: for templates that have a switch for it, as Qwen 3's.
void parse_thinking(Fields& fields, Json& kwargs) {
  const Json* value = fields.find("thinking");
  if (value == nullptr) return;
  Fields thinking(*value, fields.path("thinking"));
  const std::string& type =
      as_one_of(thinking.require("type"), thinking.path("type"), {"enabled", "disabled", "adaptive"});
  kwargs["enable_thinking"] = type != "disabled";
  thinking.ignore({"budget_tokens", "display"});
  thinking.refuse_unknown();
}

struct Turns {
  Tools tools;
  Conversation conversation;
};

/// What is said so far, and with which tools: what an answer and a count of tokens have in common.
Turns parse_conversation(Fields& fields, const Context& context) {
  Turns turns{.tools = parse_message_tools(fields, context.tool_format), .conversation = {}};
  Conversation& conversation = turns.conversation;
  std::optional<std::string> system;
  if (const Json* value = fields.find("system")) system = parse_content(*value, "system");
  conversation.messages = parse_turns(fields.require("messages"), "messages", std::move(system));
  conversation.tools = turns.tools.list;
  // A last turn of the assistant's is the beginning of the answer.
  conversation.continue_final_message = conversation.messages.back()["role"] == "assistant";
  if (const Json* kwargs = fields.find("chat_template_kwargs")) {
    conversation.kwargs = as_object(*kwargs, "chat_template_kwargs");
  }
  parse_thinking(fields, conversation.kwargs);
  fields.ignore({"cache_control"});
  return turns;
}

http::Response count(const Context& context, const http::Request& request) {
  const Json body = parse_json(request.body);
  Fields fields(body);
  parse_model(fields, context);
  const Turns turns = parse_conversation(fields, context);
  fields.refuse_unknown();
  const Prompt prompt = render_chat(context, turns.conversation, "messages");
  http::Response response{.status = 200, .headers = {}, .body = to_text({{"input_tokens", prompt.tokens.size()}})};
  response.headers.add("Content-Type", "application/json");
  return response;
}

std::unique_ptr<http::Work> answer(const Context& context, const http::Request& request, const http::Wake& wake) {
  const Json body = parse_json(request.body);
  Fields fields(body);
  const RequestHead head = parse_head(fields, context);
  Generation generation = begin_generation(fields, head, context, "/v1/messages");
  SamplingParams& sampling = generation.sampling;
  sampling.max_tokens =
      static_cast<int>(as_integer(fields.require("max_tokens"), "max_tokens", 1, std::numeric_limits<int>::max()));
  if (const Json* stop = fields.find("stop_sequences")) sampling.stop = as_strings(*stop, "stop_sequences");

  Turns turns = parse_conversation(fields, context);
  fields.refuse_unknown();

  Prompt prompt = render_chat(context, turns.conversation, "messages");
  const ChatForm chat = make_chat_form(context, std::move(turns.tools), prompt, generation);
  fit_prompt(prompt, "messages", std::nullopt, sampling.max_tokens, context.engine.model());
  auto message = std::make_unique<MessageAnswer>(head.stream, AnswerHead::make("msg_", head.model, context),
                                                 static_cast<int>(prompt.tokens.size()), chat.reader(), sampling.stop);
  generation.prompts.push_back(std::move(prompt));
  return generate(context, request, wake, generation, std::move(message));
}

}  // namespace

std::unique_ptr<http::Work> messages(const Context& context, const http::Request& request, const http::Wake& wake) {
  try {
    return answer(context, request, wake);
  } catch (const std::exception& error) {
    return http::ready(MessageAnswer::error_response(as_api_error(error)));
  }
}

std::unique_ptr<http::Work> count_message_tokens(const Context& context, const http::Request& request,
                                                 const http::Wake& /*wake*/) {
  try {
    return http::ready(count(context, request));
  } catch (const std::exception& error) {
    return http::ready(MessageAnswer::error_response(as_api_error(error)));
  }
}

}  // namespace caravel::server::openai
