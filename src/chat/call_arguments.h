#pragma once

#include <string_view>

namespace caravel::chat {

/// What an API that takes a call's arguments as an object alone is given in place of those that are none: an object
/// with their text under this name. A tool that checks its arguments refuses it, and the model sees what it wrote.
inline constexpr const char* kUnreadableArguments = "unreadable_arguments";

/// Whether a call's arguments are what they should be.
bool is_json_object(std::string_view arguments);

}  // namespace caravel::chat
