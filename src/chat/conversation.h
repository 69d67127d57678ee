#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "chat/tools.h"
#include "fields/fields.h"
#include "text/prompt_components.h"

namespace caravel::chat {

/// What a chat template is given, before it has the form that the template wants (message_shape.h).
struct Conversation {
  /// Objects with a role and, where they have them: content, a text or a list of {"type": "text", "text"}; name;
  /// reasoning_content; tool_calls, one at least, whose arguments are an object or the text that the client sent;
  /// tool_call_id. What is null, and an empty name or list of calls, is absent.
  Json messages = Json::array();
  Tools tools;
  Json documents = nullptr;
  Json kwargs = Json::object();
  bool add_generation_prompt = true;
  bool continue_final_message = false;     // the answer goes on where the last message ends
  std::optional<bool> add_special_tokens;  // nothing, false: what chat_prompt() adds by itself
  std::string path = "messages";           // the request's field that has the messages, for errors
};

/// Every field of a /v1/chat/completions body that the prompt depends on: messages, tools, tool_choice,
/// parallel_tool_calls, documents, chat_template_kwargs, reasoning_effort, continue_final_message,
/// add_generation_prompt, add_special_tokens. Throws FieldError.
Conversation parse_conversation(Fields& fields);
/// The same around messages that the field `path` has said in another form.
Conversation parse_conversation(Fields& fields, Json messages, std::string path);

/// The messages of /v1/chat/completions. Parts that are no text are refused by their names.
Json parse_messages(const Json& value, const std::string& path);

/// The types that a part of text has, in one API or another: what a client's library made of one API's answer is sent
/// to another.
constexpr bool is_text_part(std::string_view type) {
  return type == "text" || type == "input_text" || type == "output_text";
}

/// A content: a text, or its parts as {"type": "text", "text"}. more_types: other kinds of parts that it may hold, as
/// "refusal".
Json parse_content(const Json& value, const std::string& path, std::initializer_list<std::string_view> more_types = {});

/// chat_template_kwargs: what a template reads beside the conversation, which it cannot replace.
Json parse_template_kwargs(const Json& value, const std::string& path);

/// prompt_components: a prompt by its parts (docs/prompting.md).
text::PromptComponents parse_components(const Json& value, const std::string& path);

}  // namespace caravel::chat
