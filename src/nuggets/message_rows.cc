#include <algorithm>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/printable.h"
#include "chat/conversation.h"
#include "chat/message_shape.h"
#include "fields/fields.h"
#include "nuggets/row_forms.h"
#include "nuggets/turn_builder.h"

namespace caravel::nuggets {
namespace {

struct RoleName {
  std::string_view name;
  const char* role;
};

/// Who speaks, as the files have it that ShareGPT's form was given.
constexpr RoleName kRoles[] = {
    {"human", "user"},        {"user", "user"},        {"gpt", "assistant"},   {"assistant", "assistant"},
    {"chatgpt", "assistant"}, {"bot", "assistant"},    {"model", "assistant"}, {"system", "system"},
    {"tool", "tool"},         {"observation", "tool"},
};

Message share_gpt_message(const Json& item, const std::string& path) {
  Fields fields(item, path);
  const std::string& from = as_string(fields.require("from"), fields.path("from"));
  const auto role = std::ranges::find(kRoles, from, &RoleName::name);
  if (role == std::end(kRoles)) {
    throw fail<FormatError>("the role '{}' is not known ({})", printable(from), fields.path("from"));
  }
  return {.role = role->role, .content = as_string(fields.require("value"), fields.path("value"))};
}

/// json: as chat::parse_messages() makes it.
Message message_of(const Json& json) {
  const auto text = [&json](const char* name) { return json.value(name, std::string()); };
  Message message{.role = text("role"),
                  .content = chat::text_of(json.value("content", Json(""))),
                  .reasoning = text("reasoning_content"),
                  .tool_call_id = text("tool_call_id"),
                  .name = text("name")};
  for (const Json& call : json.value("tool_calls", Json::array())) {
    const Json& function = call["function"];
    const Json& arguments = function["arguments"];
    message.tool_calls.push_back(
        {.id = call.value("id", std::string()),
         .name = function["name"].get<std::string>(),
         .arguments = arguments.is_string() ? arguments.get<std::string>() : to_text(arguments)});
  }
  return message;
}

bool has_no_weight(const Json& item) {
  const Json* const weight = find_column(item, "weight");
  return weight != nullptr && weight->is_number() && weight->get<double>() == 0;
}

/// Says the messages of a column, behind `last`; returns the last one's place. turns: answers among them are turns.
size_t say_list(const Json& row, const std::string& name, const Columns& columns, TurnBuilder& builder, size_t last,
                bool turns) {
  const Json* const list = find_column(row, name);
  if (list == nullptr) throw fail<FormatError>("it has no '{}'", name);
  as_array(*list, name);
  const bool has_from = is_share_gpt(*list);
  const Json parsed = has_from ? Json::array() : chat::parse_messages(*list, name);
  for (size_t i = 0; i < list->size(); ++i) {
    const Json& item = (*list)[i];
    Message message = has_from ? share_gpt_message(item, join_path(name, i)) : message_of(parsed[i]);
    if (last == kNothingBefore && message.role != "system") {
      last = builder.begin_with_system(column_text_of(row, columns.system.empty() ? "system" : columns.system));
    }
    const bool is_turn = turns && message.role == "assistant" && message.tool_calls.empty() && !has_no_weight(item);
    last = builder.say(std::move(message), last);
    if (is_turn) builder.add_turn(last);
  }
  return last;
}

}  // namespace

bool is_share_gpt(const Json& list) {
  return !list.empty() && list.front().is_object() && list.front().contains("from");
}

RowContent read_messages(const Json& row, const Columns& columns) {
  TurnBuilder builder;
  say_list(row, columns.messages, columns, builder, kNothingBefore, true);
  return builder.finish();
}

RowContent read_dialogue(const Json& row, const Columns& columns) {
  TurnBuilder builder;
  const size_t last = say_list(row, columns.instruction, columns, builder, kNothingBefore, false);
  say_list(row, columns.output, columns, builder, last, true);
  return builder.finish();
}

}  // namespace caravel::nuggets
