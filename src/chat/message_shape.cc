#include "chat/message_shape.h"

#include <utility>

#include "base/error.h"
#include "chat/tool_syntax.h"
#include "text/chat_template.h"
#include "text/jinja/budget.h"
#include "text/jinja/json_value.h"
#include "text/jinja/print.h"

namespace caravel::chat {
namespace {

using Traits = TemplateTraits;
constexpr const char* kParagraph = "\n\n";

bool is_role(const Json& message, std::string_view role) { return message["role"] == role; }

/// Puts `more` behind the message's text, and makes it one.
void append_text(Json& message, std::string_view separator, std::string_view more) {
  std::string text = text_of(message.value("content", Json("")));
  if (!text.empty() && !more.empty()) text += separator;
  message["content"] = text.append(more);
}

void rename_roles(Json& messages, const Traits& traits) {
  for (Json& message : messages) {
    if (!traits.developer && is_role(message, "developer")) message["role"] = "system";
    if (!traits.function && is_role(message, "function")) message["role"] = "tool";
  }
}

void add_instructions(Json& messages, const std::string& instructions) {
  if (instructions.empty()) return;
  if (!is_role(messages.front(), "system") && !is_role(messages.front(), "developer")) {
    messages.insert(messages.begin(), Json{{"role", "system"}, {"content", instructions}});
  } else {
    append_text(messages.front(), kParagraph, instructions);
  }
}

/// Takes every system message out, but a single one at the start of a template that takes one there.
void gather_system(Json& messages, Traits::System place) {
  size_t count = 0;
  for (const Json& message : messages) count += is_role(message, "system") ? 1 : 0;
  const bool is_first = count == 1 && is_role(messages.front(), "system");
  if (count == 0 || place == Traits::System::kAnywhere || (place == Traits::System::kFirst && is_first)) return;
  Json system = {{"role", "system"}, {"content", ""}};
  Json others = Json::array();
  for (Json& message : messages) {
    if (is_role(message, "system")) {
      append_text(system, kParagraph, text_of(message["content"]));
    } else {
      others.push_back(std::move(message));
    }
  }
  messages = std::move(others);
  if (place == Traits::System::kFirst) {
    messages.insert(messages.begin(), std::move(system));
    return;
  }
  for (Json& message : messages) {
    if (!is_role(message, "user")) continue;
    append_text(system, kParagraph, text_of(message["content"]));
    message["content"] = std::move(system["content"]);
    return;
  }
  system["role"] = "user";
  messages.insert(messages.begin(), std::move(system));
}

/// A call's arguments as a text. They may be one already. Others become the text that tojson makes of them, which is
/// what models have learnt to write: so a call that comes back as an object is the text that the model wrote, and found
/// in the prefix cache.
std::string argument_text(const Json& arguments) {
  if (arguments.is_string()) return arguments.get<std::string>();
  constexpr text::RenderLimits kLimits;
  text::jinja::Budget budget(kLimits.steps, kLimits.text_bytes);
  return text::jinja::to_json(text::jinja::from_json(arguments), {}, budget);
}

/// What a text of arguments says; null where it is no JSON object.
Json argument_object(const std::string& text) {
  if (text.empty()) return Json::object();
  try {
    Json object = parse_json(text);
    return object.is_object() ? object : Json(nullptr);
  } catch (const FormatError&) {
    return nullptr;
  }
}

void shape_arguments(Json& arguments, const Traits& traits) {
  if (traits.arguments == Traits::Arguments::kText) {
    arguments = argument_text(arguments);
    if (arguments == "") arguments = "{}";
  } else if (arguments.is_string()) {
    Json object = argument_object(arguments.get_ref<const std::string&>());
    // What a model wrote that is no object stays as it is where that can be shown; the conversation goes on either way.
    if (object.is_null() && !traits.takes_text_arguments) object = Json::object();
    if (!object.is_null()) arguments = std::move(object);
  }
}

std::string spelled(const Json& calls, ToolFormat format) {
  const ToolSyntax* syntax = find_syntax(format);
  const ToolSyntax& known = syntax == nullptr ? kHermesSyntax : *syntax;
  const ToolSyntax::Spelling& form = known.earlier.call.empty() ? known.forced : known.earlier;
  std::string text(form.before);
  for (size_t i = 0; i < calls.size(); ++i) {
    const Json& function = calls[i]["function"];
    const std::string arguments = argument_text(function["arguments"]);
    if (i > 0) text += form.between;
    text.append(form.call).append(function["name"].get_ref<const std::string&>()).append(form.arguments);
    text.append(arguments.empty() ? "{}" : arguments).append(form.end);
  }
  return text.append(form.after);
}

/// For a template that takes a content or reasoning beside calls: both become the reasoning.
void join_content_of_calls(Json& message) {
  const std::string said = text_of(message.value("content", Json("")));
  if (said.empty() || !message.contains("reasoning_content") || !message.contains("tool_calls")) return;
  std::string& reasoning = message["reasoning_content"].get_ref<std::string&>();
  reasoning += (reasoning.empty() ? "" : kParagraph) + said;
  message.erase("content");
}

/// Reasoning as the first part of the content.
void reasoning_as_part(Json& message) {
  Json parts = Json::array({{{"type", "thinking"}, {"thinking", message["reasoning_content"]}}});
  const std::string said = text_of(message.value("content", Json("")));
  if (!said.empty()) parts.push_back({{"type", "text"}, {"text", said}});
  message["content"] = std::move(parts);
  message.erase("reasoning_content");
}

/// The assistant's: calls, and the content that may be missing beside them.
void shape_answer(Json& message, const Traits& traits, ToolFormat format) {
  if (traits.joins_content_of_calls) join_content_of_calls(message);
  if (traits.reasoning == Traits::Reasoning::kField && message.contains("reasoning_content")) {
    message["reasoning"] = message["reasoning_content"];
  }
  const bool hides = traits.content_hides_calls && !text_of(message.value("content", Json(""))).empty();
  if (message.contains("tool_calls") && (!traits.shows_calls || hides)) {
    append_text(message, "\n", spelled(message["tool_calls"], format));
    message.erase("tool_calls");
  }
  const bool calls = message.contains("tool_calls");
  if (calls) {
    for (Json& call : message["tool_calls"]) shape_arguments(call["function"]["arguments"], traits);
  }
  const bool is_empty = message.contains("content") && message["content"] == "";
  if (message.contains("content") && !(is_empty && calls && traits.empty_hides_calls)) return;
  message.erase("content");
  const Traits::Missing form = calls ? traits.missing : traits.missing_alone;
  // Behind the role, where clients write it.
  if (form == Traits::Missing::kAbsent) return;
  Json shaped = {{"role", message["role"]}, {"content", form == Traits::Missing::kNull ? Json(nullptr) : Json("")}};
  for (auto& [key, value] : message.items()) {
    if (key != "role") shaped[key] = std::move(value);
  }
  message = std::move(shaped);
}

/// For a template that takes one call a message. A result names no tool, so that such a template takes it for
/// one of the call before: those of a call stand behind it.
Json calls_apart(Json messages) {
  Json out = Json::array();
  for (size_t i = 0; i < messages.size(); ++i) {
    const auto found = messages[i].find("tool_calls");
    if (found == messages[i].end() || found->size() < 2) {
      out.push_back(std::move(messages[i]));
      continue;
    }
    const Json calls = std::move(*found);
    const size_t results_end = [&] {
      size_t end = i + 1;
      while (end < messages.size() && is_role(messages[end], "tool")) ++end;
      return end;
    }();
    for (size_t n = 0; n < calls.size(); ++n) {
      Json message = n == 0 ? std::move(messages[i]) : Json{{"role", "assistant"}};
      message["tool_calls"] = Json::array({calls[n]});
      out.push_back(std::move(message));
      const bool is_last = n + 1 == calls.size();
      for (size_t r = i + 1; r < results_end; ++r) {
        Json& result = messages[r];
        if (result.is_null() || !(is_last || result.value("tool_call_id", "") == calls[n].value("id", ""))) continue;
        out.push_back(std::exchange(result, nullptr));
      }
    }
    i = results_end - 1;
  }
  return out;
}

/// For templates without the role: results, and the user's turn that follows them, become one turn of the user's, since
/// such templates want turns to alternate.
Json results_as_user(Json messages) {
  Json out = Json::array();
  bool after_result = false;
  for (Json& message : messages) {
    const bool is_result = is_role(message, "tool");
    std::string text = is_result || after_result ? text_of(message.value("content", Json(""))) : "";
    if (is_result) text.insert(0, "<tool_response>\n").append("\n</tool_response>");
    if (after_result && (is_result || is_role(message, "user"))) {
      append_text(out.back(), "\n", text);
    } else if (is_result) {
      out.push_back({{"role", "user"}, {"content", std::move(text)}});
    } else {
      out.push_back(std::move(message));
    }
    after_result = is_result;
  }
  return out;
}

void shape_content(Json& message, const Traits& traits) {
  if (traits.reasoning == Traits::Reasoning::kPart && is_role(message, "assistant") &&
      message.value("reasoning_content", "") != "") {
    return reasoning_as_part(message);
  }
  const auto content = message.find("content");
  if (content == message.end() || content->is_null()) return;
  const Traits::Content form = traits.content_of(message["role"].get_ref<const std::string&>());
  if (content->is_array() && form == Traits::Content::kText) *content = text_of(*content);
  if (content->is_string() && form == Traits::Content::kOnlyParts) {
    *content = Json::array({{{"type", "text"}, {"text", std::move(*content)}}});
  }
}

}  // namespace

void give_tools_in_system(Json& messages, const Json& tools) {
  // Microsoft's words for Phi-4-mini, which has no tools without a system message.
  if (!is_role(messages.front(), "system")) {
    messages.insert(messages.begin(),
                    Json{{"role", "system"}, {"content", "You are a helpful assistant with some tools."}});
  }
  Json functions = Json::array();
  for (const Json& tool : tools) functions.push_back(tool.at("function"));
  messages.front()["tools"] = argument_text(functions);
}

std::string text_of(const Json& content) {
  if (content.is_null()) return {};
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  for (size_t i = 0; i < content.size(); ++i) {
    if (i > 0) text += '\n';
    text += content[i]["text"].get_ref<const std::string&>();
  }
  return text;
}

Json shape_messages(Json messages, const std::string& instructions, const TemplateTraits& traits, ToolFormat format) {
  rename_roles(messages, traits);
  add_instructions(messages, instructions);
  gather_system(messages, traits.system);
  if (traits.splits_calls) messages = calls_apart(std::move(messages));
  if (!traits.shows_results) messages = results_as_user(std::move(messages));
  for (Json& message : messages) {
    if (is_role(message, "assistant")) shape_answer(message, traits, format);
    shape_content(message, traits);
  }
  return messages;
}

}  // namespace caravel::chat
