#pragma once

#include <string>

#include "fields/json.h"
#include "nuggets/columns.h"
#include "nuggets/row_shape.h"

namespace caravel::nuggets {

// One file for each. row: an object. They throw as read_content().

RowContent read_flat(const Json& row, const Columns& columns);
RowContent read_instances(const Json& row, const Columns& columns);
/// Both spellings of a list of messages. An assistant's message that calls tools, or that has the weight 0, which
/// leaves it out of training, is no turn, but a part of the paths of later ones.
RowContent read_messages(const Json& row, const Columns& columns);
/// The messages of the instruction's column, then those of the output's, whose answers alone are turns.
RowContent read_dialogue(const Json& row, const Columns& columns);
bool is_share_gpt(const Json& list);
/// A message that is marked as deleted is left out, and all that follows it.
RowContent read_tree(const Json& row);

/// A text; of a number, its text. Throws FieldError.
std::string column_text(const Json& value, const std::string& name);
/// The same of a column that may be absent, which is empty.
std::string column_text_of(const Json& row, const std::string& name);

}  // namespace caravel::nuggets
