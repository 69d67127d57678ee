#include "server/openai/conversation.h"
#include "text/tokenizer_data.h"

#include <algorithm>
#include <utility>

namespace caravel::server::openai {
namespace {

Json parse_call(const Json& value, const std::string& path) {
  Fields call(value, path);
  Json result = Json::object();
  if (auto id = call.string("id")) result["id"] = *std::move(id);
  if (const Json* type = call.find("type")) as_one_of(*type, call.path("type"), {"function"});
  result["type"] = "function";
  Fields function(call.require("function"), call.path("function"));
  result["function"] = {{"name", as_string(function.require("name"), function.path("name"))}};
  const Json* arguments = function.find("arguments");
  const std::string arguments_path = function.path("arguments");
  result["function"]["arguments"] =
      arguments == nullptr ? Json::object() : parse_arguments(as_string(*arguments, arguments_path), arguments_path);
  function.refuse_unknown();
  call.ignore({"index"});
  call.refuse_unknown();
  return result;
}

Json parse_calls(const Json& value, const std::string& path) {
  Json calls = Json::array();
  for (const Json& call : as_array(value, path)) calls.push_back(parse_call(call, join_path(path, calls.size())));
  return calls;
}

Json parse_message(const Json& value, const std::string& path) {
  Fields fields(value, path);
  const std::string& role =
      as_one_of(fields.require("role"), fields.path("role"), {"system", "developer", "user", "assistant", "tool"});
  // Templates know no developer, which is what OpenAI calls its newer models' system prompt.
  Json message = {{"role", role == "developer" ? "system" : role}};
  const Json* calls = role == "assistant" ? fields.find("tool_calls") : nullptr;
  const Json* content = fields.find("content");
  if (content == nullptr && role != "assistant") throw missing_field(fields.path("content"));
  message["content"] = content == nullptr ? "" : parse_content(*content, fields.path("content"), {"text", "refusal"});
  if (auto name = fields.string("name")) message["name"] = *std::move(name);
  if (role == "assistant") {
    std::optional<std::string> reasoning = fields.string("reasoning_content");
    if (auto other = fields.string("reasoning"); !reasoning) reasoning = std::move(other);
    if (reasoning) message["reasoning_content"] = *std::move(reasoning);
    if (calls != nullptr) message["tool_calls"] = parse_calls(*calls, fields.path("tool_calls"));
    fields.refuse("function_call", "use tool_calls");
    // What an answer of ours carries, sent back as it came.
    fields.ignore({"refusal", "audio", "annotations"});
  }
  if (role == "tool") {
    message["tool_call_id"] = as_string(fields.require("tool_call_id"), fields.path("tool_call_id"));
  }
  fields.refuse_unknown();
  return message;
}

std::string special_token(const Tokenizer& tokenizer, std::optional<int32_t> id) {
  return id ? tokenizer.data().tokens[static_cast<size_t>(*id)].text : std::string();
}

/// Tells of the tools in the system message where the template has no place for them.
void add_tool_instructions(const Context& context, const Json& tools, Json& messages) {
  const std::string text = chat::tool_instructions(context.tool_format, context.chat_template_source, tools);
  if (text.empty()) return;
  if (messages.front()["role"] != "system") {
    messages.insert(messages.begin(), Json{{"role", "system"}, {"content", text}});
    return;
  }
  auto& content = messages.front()["content"].get_ref<std::string&>();
  content += (content.empty() ? "" : "\n\n") + text;
}

/// Cuts what the template writes after the last message's content.
void cut_after_final_message(std::string& text, const Json& messages, const std::string& path) {
  std::string_view content = messages.back()["content"].get_ref<const std::string&>();
  while (!content.empty() && (content.back() == ' ' || content.back() == '\n')) content.remove_suffix(1);
  const size_t begin = text.rfind(content);
  if (begin == std::string::npos) {
    throw bad_field(path, "The chat template changes the final message, so that it cannot be continued.");
  }
  text.resize(begin + content.size());
}

}  // namespace

std::string parse_content(const Json& value, const std::string& path, std::initializer_list<std::string_view> types) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) throw wrong_type(value, path, "a string or an array of text parts");
  std::string text;
  size_t index = 0;
  for (const Json& item : value) {
    Fields part(item, join_path(path, index));
    const std::string& type = as_string(part.require("type"), part.path("type"));
    if (std::ranges::find(types, type) == types.end()) {
      throw bad_field(part.path("type"), fmt::format("Invalid '{}': parts of type '{}' are not supported; this model "
                                                     "reads text alone.",
                                                     part.path("type"), type));
    }
    const std::string_view key = type == "refusal" ? "refusal" : "text";
    if (index++ > 0) text += '\n';
    text += as_string(part.require(key), part.path(key));
    part.ignore({"cache_control", "annotations", "logprobs", "citations"});
    part.refuse_unknown();
  }
  return text;
}

Json parse_arguments(const std::string& text, const std::string& path) {
  if (text.empty()) return Json::object();
  Json arguments;
  try {
    arguments = parse_json(text);
  } catch (const FormatError&) {
    throw bad_field(path, fmt::format("Invalid '{}': a call's arguments are a JSON object, as text.", path));
  }
  return as_object(arguments, path);
}

Json parse_chat_messages(const Json& value, const std::string& path) {
  Json messages = Json::array();
  for (const Json& item : as_array(value, path)) {
    messages.push_back(parse_message(item, join_path(path, messages.size())));
  }
  if (messages.empty()) {
    throw FieldError(path, "empty_array",
                   fmt::format("Invalid '{}': empty array. Expected an array with minimum length 1, but got an empty "
                               "array instead.",
                               path));
  }
  return messages;
}

Prompt render_chat(const Context& context, const Conversation& conversation, const std::string& path) {
  if (context.chat_template == nullptr) {
    throw bad_field(path, fmt::format("The model '{}' has no chat template: use /v1/completions, or start the server "
                                      "with --chat-template.",
                                      context.model_names.front()));
  }
  const Tokenizer& tokenizer = context.engine.tokenizer();
  text::ChatInput input;
  input.messages = conversation.messages;
  add_tool_instructions(context, conversation.tools, input.messages);
  input.tools = conversation.tools;
  input.documents = conversation.documents;
  input.add_generation_prompt = conversation.add_generation_prompt && !conversation.continue_final_message;
  input.kwargs = conversation.kwargs;
  input.bos_token = special_token(tokenizer, tokenizer.bos_id());
  input.eos_token = special_token(tokenizer, tokenizer.eos_id());
  std::string text;
  try {
    text = context.chat_template->render(input);
  } catch (const Error& error) {
    throw bad_field(path, fmt::format("The chat template refuses the messages: {}", error.what()));
  }
  if (conversation.continue_final_message) cut_after_final_message(text, conversation.messages, path);
  const bool writes_bos = !input.bos_token.empty() && text.starts_with(input.bos_token);
  return text_prompt(std::move(text), tokenizer, conversation.add_special_tokens.value_or(!writes_bos));
}

}  // namespace caravel::server::openai
