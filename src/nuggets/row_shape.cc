#include "nuggets/row_shape.h"

#include <initializer_list>

#include "nuggets/row_forms.h"

namespace caravel::nuggets {
namespace {

/// The name that was given, where the row has it; else the first of the usual ones that it has. Empty: none.
std::string name_in(const Json& row, const std::string& given, std::initializer_list<const char*> usual) {
  if (!given.empty()) return row.contains(given) ? given : "";
  return usual_column(row, usual);
}

bool is_list(const Json* value) { return value != nullptr && value->is_array(); }

bool is_tree(const Json* root) {
  return root != nullptr && root->is_object() && find_column(*root, "text") != nullptr &&
         find_column(*root, "role") != nullptr && is_list(find_column(*root, "replies"));
}

/// An instruction, and an answer or instances beside it.
std::optional<RowShape> flat_shape(const Json& row, Columns columns) {
  columns.instruction = name_in(row, columns.instruction, {"instruction", "prompt", "question", "query"});
  if (columns.instruction.empty()) return std::nullopt;
  if (columns.output.empty() && is_list(find_column(row, "instances"))) return RowShape{RowForm::kInstances, columns};
  columns.output = name_in(row, columns.output, {"output", "completion", "response", "answer"});
  if (columns.output.empty()) return std::nullopt;
  if (is_list(find_column(row, columns.instruction)) && is_list(find_column(row, columns.output))) {
    return RowShape{RowForm::kDialogue, columns};
  }
  return RowShape{columns.instruction == "instruction" ? RowForm::kAlpaca : RowForm::kPrompt, columns};
}

}  // namespace

const char* const kKnownShapes =
    "instruction and output (Alpaca), prompt and completion (texts, or lists of messages), question and answer, "
    "instruction and instances "
    "(self-instruct), messages (OpenAI), conversations (ShareGPT), and prompt with replies (trees as OASST has them)";

std::string_view name_of(RowForm form) {
  switch (form) {
    case RowForm::kAlpaca:
      return "Alpaca";
    case RowForm::kPrompt:
      return "prompt and completion";
    case RowForm::kDialogue:
      return "prompt and completion of messages";
    case RowForm::kInstances:
      return "self-instruct";
    case RowForm::kMessages:
      return "OpenAI messages";
    case RowForm::kShareGpt:
      return "ShareGPT";
    case RowForm::kTree:
      break;
  }
  return "message trees";
}

std::string usual_column(const Json& row, std::initializer_list<const char*> usual) {
  for (const char* const name : usual) {
    if (find_column(row, name) != nullptr) return name;
  }
  // As a spreadsheet's headings are written: Instruction, OUTPUT.
  const auto lower = [](std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
  };
  for (const char* const name : usual) {
    for (const auto& [key, value] : row.get_ref<const Json::object_t&>()) {
      if (!value.is_null() && lower(key) == name) return key;
    }
  }
  return "";
}

const Json* find_column(const Json& row, std::string_view name) {
  const auto found = row.find(name);
  return found == row.end() || found->is_null() ? nullptr : &*found;
}

std::optional<RowShape> shape_of(const Json& row, const Columns& columns) {
  if (!columns.instruction.empty() || !columns.input.empty() || !columns.output.empty()) {
    return flat_shape(row, columns);
  }
  const std::string list = name_in(row, columns.messages, {"messages", "conversations", "conversation"});
  if (!list.empty() && row[list].is_array()) {
    RowShape shape{is_share_gpt(row[list]) ? RowForm::kShareGpt : RowForm::kMessages, columns};
    shape.columns.messages = list;
    return shape;
  }
  if (!columns.messages.empty()) return std::nullopt;
  if (is_tree(find_column(row, "prompt")) || is_tree(&row)) return RowShape{RowForm::kTree, columns};
  return flat_shape(row, columns);
}

RowContent read_content(const Json& row, const RowShape& shape) {
  switch (shape.form) {
    case RowForm::kAlpaca:
    case RowForm::kPrompt:
      return read_flat(row, shape.columns);
    case RowForm::kDialogue:
      return read_dialogue(row, shape.columns);
    case RowForm::kInstances:
      return read_instances(row, shape.columns);
    case RowForm::kMessages:
    case RowForm::kShareGpt:
      return read_messages(row, shape.columns);
    case RowForm::kTree:
      break;
  }
  return read_tree(row);
}

std::string id_of(const Json& row, const Columns& columns) {
  const std::string name = name_in(row, columns.id, {"id", "custom_id", "message_tree_id"});
  const Json* const id = name.empty() ? nullptr : find_column(row, name);
  return id == nullptr ? "" : column_text(*id, name);
}

}  // namespace caravel::nuggets
