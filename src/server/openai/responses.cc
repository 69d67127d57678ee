#include <limits>
#include <utility>

#include "server/openai/conversation.h"
#include "server/openai/endpoints.h"
#include "server/openai/generation.h"
#include "server/openai/response_answer.h"
#include "server/openai/sampling_fields.h"

namespace caravel::server::openai {
namespace {

/// The assistant's message that calls and reasoning are added to: the last one, if it is one.
Json& assistant(Json& messages) {
  if (messages.empty() || messages.back()["role"] != "assistant") {
    messages.push_back({{"role", "assistant"}, {"content", ""}});
  }
  return messages.back();
}

void add_message(Fields& fields, Json& messages) {
  const std::string& role =
      as_one_of(fields.require("role"), fields.path("role"), {"system", "developer", "user", "assistant"});
  std::string content = parse_content(fields.require("content"), fields.path("content"),
                                      {"input_text", "output_text", "text", "refusal"});
  const bool answers = !messages.empty() && messages.back()["role"] == "assistant" &&
                       messages.back()["content"] == "" && !messages.back().contains("tool_calls");
  if (role == "assistant" && answers) {
    messages.back()["content"] = std::move(content);  // after its reasoning
  } else {
    messages.push_back({{"role", role == "developer" ? "system" : role}, {"content", std::move(content)}});
  }
}

void add_call(Fields& fields, Json& messages) {
  const std::string path = fields.path("arguments");
  Json call = {{"id", as_string(fields.require("call_id"), fields.path("call_id"))},
               {"type", "function"},
               {"function",
                {{"name", as_string(fields.require("name"), fields.path("name"))},
                 {"arguments", parse_arguments(as_string(fields.require("arguments"), path), path)}}}};
  Json& calls = assistant(messages)["tool_calls"];
  if (calls.is_null()) calls = Json::array();
  calls.push_back(std::move(call));
}

void add_item(const Json& value, const std::string& path, Json& messages) {
  Fields fields(value, path);
  const Json* type_field = fields.find("type");
  const std::string type = type_field == nullptr
                               ? "message"
                               : as_one_of(*type_field, fields.path("type"),
                                           {"message", "function_call", "function_call_output", "reasoning"});
  fields.ignore({"id", "status"});
  if (type == "message") {
    fields.ignore({"phase"});
    add_message(fields, messages);
  } else if (type == "function_call") {
    add_call(fields, messages);
  } else if (type == "function_call_output") {
    messages.push_back({{"role", "tool"},
                        {"content", parse_content(fields.require("output"), fields.path("output"), {"input_text"})},
                        {"tool_call_id", as_string(fields.require("call_id"), fields.path("call_id"))}});
  } else {
    const Json* content = fields.find("content");
    fields.ignore({"summary", "encrypted_content"});
    if (content != nullptr) {
      Json message = {{"role", "assistant"}, {"content", ""}};
      message["reasoning_content"] = parse_content(*content, fields.path("content"), {"reasoning_text"});
      messages.push_back(std::move(message));
    }
  }
  fields.refuse_unknown();
}

Json parse_input(const Json& value, const std::string& path, const std::optional<std::string>& instructions) {
  Json messages = Json::array();
  if (instructions) messages.push_back({{"role", "system"}, {"content", *instructions}});
  if (value.is_string()) {
    messages.push_back({{"role", "user"}, {"content", value}});
    return messages;
  }
  if (!value.is_array()) throw wrong_type(value, path, "a string or an array of items");
  size_t index = 0;
  for (const Json& entry : value) add_item(entry, join_path(path, index++), messages);
  if (messages.empty()) throw bad_field(path, fmt::format("Invalid '{}': give at least one item.", path));
  return messages;
}

void refuse_what_needs_a_store(Fields& fields) {
  const std::string why = "this server keeps no responses; send the whole conversation as input";
  for (const std::string_view name : {"previous_response_id", "conversation", "prompt"}) fields.refuse(name, why);
  fields.refuse("background", why, false);
  fields.refuse("max_tool_calls", "tools are called by the client");
  fields.refuse("truncation", "use truncate_prompt_tokens", "disabled");
}

/// How many of the likely tokens come with each token of the text; nothing: no log-probabilities.
std::optional<int> parse_logprobs(Fields& fields, const Tools& tools) {
  constexpr const char* kLogprobs = "message.output_text.logprobs";
  bool wanted = false;
  if (const Json* include = fields.find("include")) {
    size_t index = 0;
    for (const Json& item : as_array(*include, fields.path("include"))) {
      const std::string path = join_path(fields.path("include"), index++);
      wanted = as_one_of(item, path, {"reasoning.encrypted_content", kLogprobs}) == kLogprobs || wanted;
    }
  }
  const std::optional<int64_t> top = fields.integer("top_logprobs", 0, kMaxTopLogprobs);
  if (top.value_or(0) > 0 && !wanted) {
    throw bad_field(fields.path("top_logprobs"),
                    fmt::format("'top_logprobs' is only allowed when 'include' has '{}'.", kLogprobs));
  }
  if (!wanted) return std::nullopt;
  if (tools.choice != ToolChoice::kNone) {
    // Which tokens spell a call and which the text around it is not told apart, and must not depend on how a stream
    // was cut.
    throw unsupported_field(fields.path("include"),
                            "log-probabilities come with text alone; leave out the tools, or use /v1/chat/completions");
  }
  return static_cast<int>(top.value_or(0));
}

/// text.format, or what the other endpoints take.
AnswerForm parse_form(Fields& fields) {
  AnswerForm form = parse_answer_form(fields);
  const Json* value = fields.find("text");
  if (value == nullptr) return form;
  Fields text(*value, fields.path("text"));
  if (const Json* format = text.find("format")) {
    GrammarSpec spec = parse_format(*format, text.path("format"), false);
    if (spec.kind != GrammarSpec::Kind::kNone) {
      if (!form.field.empty()) throw form_is_given(text.path("format"), form.field);
      form = {.grammar = std::move(spec), .field = text.path("format")};
    }
  }
  text.ignore({"verbosity"});
  text.refuse_unknown();
  return form;
}

/// What the answer repeats of its request.
Json repeated(Fields& fields, const SamplingParams& sampling) {
  Json json = Json::object();
  const auto repeat = [&](std::string_view name, Json otherwise) {
    const Json* value = fields.find(name);
    json[std::string(name)] = value == nullptr ? std::move(otherwise) : *value;
  };
  repeat("instructions", nullptr);
  repeat("max_output_tokens", nullptr);
  repeat("metadata", Json::object());
  repeat("parallel_tool_calls", true);
  repeat("reasoning", {{"effort", nullptr}, {"summary", nullptr}});
  json["temperature"] = sampling.temperature;
  repeat("text", {{"format", {{"type", "text"}}}});
  repeat("tool_choice", "auto");
  repeat("tools", Json::array());
  repeat("top_logprobs", 0);
  json["top_p"] = sampling.top_p;
  json["truncation"] = "disabled";
  repeat("user", nullptr);
  return json;
}

std::unique_ptr<http::Work> answer(const Context& context, const http::Request& request, const http::Wake& wake) {
  const Json body = parse_json(request.body);
  Fields fields(body);
  const RequestHead head = parse_head(fields, context);
  Generation generation = begin_generation(fields, head, context, "/v1/responses");
  SamplingParams& sampling = generation.sampling;
  constexpr int64_t kMost = std::numeric_limits<int>::max();
  sampling.max_tokens = static_cast<int>(fields.integer("max_output_tokens", 1, kMost).value_or(kMost));
  generation.prescribe(parse_form(fields));

  Tools tools = parse_response_tools(fields, context.tool_format);
  Conversation conversation;
  conversation.messages = parse_input(fields.require("input"), "input", fields.string("instructions"));
  conversation.tools = tools.list;
  sampling.logprobs = parse_logprobs(fields, tools);
  if (const Json* kwargs = fields.find("chat_template_kwargs")) {
    conversation.kwargs = as_object(*kwargs, "chat_template_kwargs");
  }
  if (const Json* reasoning = fields.find("reasoning")) {
    Fields inner(*reasoning, "reasoning");
    if (auto effort = inner.string("effort")) conversation.kwargs["reasoning_effort"] = *std::move(effort);
    inner.ignore({"summary", "generate_summary"});
    inner.refuse_unknown();
  }
  const std::optional<int64_t> truncation = parse_truncation(fields);
  refuse_what_needs_a_store(fields);
  Json repeat = repeated(fields, sampling);
  fields.refuse_unknown();

  Prompt prompt = render_chat(context, conversation, "input");
  const ChatForm chat = make_chat_form(context, std::move(tools), prompt, generation);
  fit_prompt(prompt, "input", truncation, sampling.max_tokens, context.engine.model());
  generation.prompts.push_back(std::move(prompt));
  const std::optional<ResponseAnswer::LogprobForm> logprobs =
      sampling.logprobs ? std::optional(ResponseAnswer::LogprobForm{.names = {.tokenizer = context.engine.tokenizer()},
                                                                    .top = static_cast<size_t>(*sampling.logprobs)})
                        : std::nullopt;
  return generate(context, request, wake, generation,
                  std::make_unique<ResponseAnswer>(head.stream, AnswerHead::make("resp_", head.model, context),
                                                   std::move(repeat), chat.reader(), sampling.stop, logprobs));
}

}  // namespace

std::unique_ptr<http::Work> responses(const Context& context, const http::Request& request, const http::Wake& wake) {
  try {
    return answer(context, request, wake);
  } catch (const std::exception& error) {
    return http::ready(error_response(error));
  }
}

}  // namespace caravel::server::openai
