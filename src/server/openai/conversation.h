#pragma once

#include <optional>
#include <string>

#include "server/openai/context.h"
#include "server/openai/prompt.h"

namespace caravel::server::openai {

/// What a chat template is given, in the form that templates expect: each message's content one text, a call's
/// arguments an object.
struct Conversation {
  Json messages = Json::array();
  Json tools = nullptr;
  Json documents = nullptr;
  Json kwargs = Json::object();
  bool add_generation_prompt = true;
  bool continue_final_message = false;                    // the answer goes on where the last message ends
  std::optional<bool> add_special_tokens = std::nullopt;  // nothing: where the template writes no beginning of sequence
};

/// The messages of /v1/chat/completions. Parts that are no text are refused by their names.
Json parse_chat_messages(const Json& value, const std::string& path);

/// A content of text parts, joined by line breaks, or a text. types: of parts that hold a "text".
std::string parse_content(const Json& value, const std::string& path,
                          std::initializer_list<std::string_view> types = {"text"});

/// The arguments of a call, which clients send as a text that holds an object.
Json parse_arguments(const std::string& text, const std::string& path);

/// path: of the messages, for errors. Throws ApiError also for what the template raises.
Prompt render_chat(const Context& context, const Conversation& conversation, const std::string& path);

}  // namespace caravel::server::openai
