#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fields/json.h"
#include "nuggets/columns.h"
#include "nuggets/row.h"

namespace caravel::nuggets {

/// How a row says its turns.
enum class RowForm : uint8_t {
  kAlpaca,     // {"instruction", "input", "output"}
  kPrompt,     // {"prompt", "completion"} or {"question", "answer"}
  kDialogue,   // {"prompt": [...], "completion": [...]} of messages, as TRL has it; the completion's answers are turns
  kInstances,  // {"instruction", "instances": [{"input", "output"}]}, as self-instruct has it; each instance is a turn
  kMessages,   // {"messages": [{"role", "content"}]}, as OpenAI's API has them
  kShareGpt,   // {"conversations": [{"from", "value"}]}
  kTree,       // {"prompt": {"text", "role", "replies": [...]}}, as OASST has it; every assistant's reply is a turn
};

/// For people: "Alpaca", "ShareGPT".
std::string_view name_of(RowForm form);

/// What rows are read by.
struct RowShape {
  RowForm form = RowForm::kAlpaca;
  Columns columns;  // those without which there is no row are named
};

/// The shape that this row has; nothing: none of them.
std::optional<RowShape> shape_of(const Json& row, const Columns& columns);

/// What the shapes are, for the refusal of a file that has none of them.
extern const char* const kKnownShapes;

struct RowContent {
  std::vector<Turn> turns;  // at least one
  std::string left_out;     // which of the row's answers are no turn, and why; empty: none
};

/// Throws FormatError or FieldError, which says what of the row is missing, empty or of the wrong type.
RowContent read_content(const Json& row, const RowShape& shape);

/// The row's own id, as text; empty: it has none.
std::string id_of(const Json& row, const Columns& columns);

/// The first of the usual names that the row has, as the row writes it, in capitals or not; empty: none.
std::string usual_column(const Json& row, std::initializer_list<const char*> usual);

/// nullptr: absent or null. row: an object.
const Json* find_column(const Json& row, std::string_view name);

}  // namespace caravel::nuggets
