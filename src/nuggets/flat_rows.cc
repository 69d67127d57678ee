#include <utility>

#include "base/error.h"
#include "base/written_number.h"
#include "fields/fields.h"
#include "nuggets/row_forms.h"
#include "nuggets/turn_builder.h"

namespace caravel::nuggets {
namespace {

/// What the first of the columns says that the row has.
std::string any_text_of(const Json& row, const std::string& given, std::initializer_list<const char*> usual) {
  if (!given.empty()) return column_text_of(row, given);
  const std::string name = usual_column(row, usual);
  return name.empty() ? "" : column_text_of(row, name);
}

/// An answer to an instruction, with the input that it is about. Returns its place.
size_t add_flat(TurnBuilder& builder, size_t before, const std::string& instruction, std::string input,
                std::string output) {
  Message asked{.role = "user", .content = instruction};
  if (is_blank(input)) input.clear();
  if (!input.empty()) {
    const bool alone = is_blank(instruction);
    asked.content = alone ? input : instruction + Turn::kBetween + input;
    if (alone) input.clear();
  }
  const size_t place = builder.say(std::move(asked), before);
  const size_t answer = builder.say({.role = "assistant", .content = std::move(output)}, place);
  builder.add_turn(answer, std::move(input));
  return answer;
}

/// What was said before, where a row has it: [[question, answer], ...]. Returns the last answer's place.
size_t add_history(TurnBuilder& builder, size_t before, const Json& row) {
  const Json* const history = find_column(row, "history");
  if (history == nullptr || !history->is_array()) return before;
  for (const Json& round : *history) {
    if (as_array(round, "history").size() != 2) {
      throw fail<FormatError>("a round of its 'history' has {} texts: a question and its answer are two", round.size());
    }
    before = add_flat(builder, before, column_text(round[0], "history"), "", column_text(round[1], "history"));
  }
  return before;
}

constexpr std::initializer_list<const char*> kInputs = {"input", "context"};
constexpr std::initializer_list<const char*> kSystems = {"system", "system_prompt"};

}  // namespace

std::string column_text(const Json& value, const std::string& name) {
  if (value.is_number() || is_written_number(value)) return to_text(value);
  return as_string(value, name);
}

std::string column_text_of(const Json& row, const std::string& name) {
  const Json* const value = find_column(row, name);
  return value == nullptr ? "" : column_text(*value, name);
}

RowContent read_flat(const Json& row, const Columns& columns) {
  const std::string instruction = column_text_of(row, columns.instruction);
  std::string input = any_text_of(row, columns.input, kInputs);
  std::string output = column_text_of(row, columns.output);
  if (is_blank(instruction) && is_blank(input)) throw fail<FormatError>("its '{}' is empty", columns.instruction);
  if (is_blank(output)) throw fail<FormatError>("its '{}' is empty", columns.output);
  TurnBuilder builder;
  const size_t before = builder.begin_with_system(any_text_of(row, columns.system, kSystems));
  add_flat(builder, add_history(builder, before, row), instruction, std::move(input), std::move(output));
  return builder.finish();
}

RowContent read_instances(const Json& row, const Columns& columns) {
  const std::string instruction = column_text_of(row, columns.instruction);
  const Json* const instances = find_column(row, "instances");
  if (instances == nullptr) throw FormatError("it has no 'instances'");
  TurnBuilder builder;
  const size_t before = builder.begin_with_system(any_text_of(row, columns.system, kSystems));
  for (const Json& instance : as_array(*instances, "instances")) {
    as_object(instance, "instances");
    add_flat(builder, before, instruction, any_text_of(instance, columns.input, kInputs),
             column_text_of(instance, "output"));
  }
  return builder.finish();
}

}  // namespace caravel::nuggets
