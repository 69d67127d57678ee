#pragma once

#include <string>
#include <string_view>

#include "chat/output_parser.h"
#include "chat/template_traits.h"
#include "fields/json.h"

namespace caravel::chat {

/// A content as one text: its parts joined by line breaks.
std::string text_of(const Json& content);

/// For a template that reads the tools, as a JSON text, from the system message's `tools`.
void give_tools_in_system(Json& messages, const Json& tools);

/// Conversation::messages in the form in which a template wants them. instructions: for the end of the system message;
/// may be empty. format: by which calls are spelled that the template writes none of.
Json shape_messages(Json messages, const std::string& instructions, const TemplateTraits& traits, ToolFormat format);

}  // namespace caravel::chat
