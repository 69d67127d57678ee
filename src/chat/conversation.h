#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "chat/tools.h"
#include "fields/fields.h"
#include "text/prompt_components.h"

namespace caravel::chat {

/// What a chat template is given, in the form that templates expect: each message's content one text, a call's
/// arguments an object.
struct Conversation {
  Json messages = Json::array();
  Tools tools;
  Json documents = nullptr;
  Json kwargs = Json::object();
  bool add_generation_prompt = true;
  bool continue_final_message = false;     // the answer goes on where the last message ends
  std::optional<bool> add_special_tokens;  // nothing: where the template writes no beginning of sequence
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

/// A content of text parts, joined by line breaks, or a text. types: the kinds of parts that hold a "text".
std::string parse_content(const Json& value, const std::string& path,
                          std::initializer_list<std::string_view> types = {"text"});

/// The arguments of a call, which clients send as a text that holds an object; an empty text is an empty object.
Json parse_arguments(const std::string& text, const std::string& path);

/// prompt_components: a prompt by its parts (docs/prompting.md).
text::PromptComponents parse_components(const Json& value, const std::string& path);

}  // namespace caravel::chat
