#include "nuggets/columns.h"

#include <algorithm>

#include "base/error.h"
#include "base/printable.h"

namespace caravel::nuggets {
namespace {

struct Word {
  std::string_view word;
  std::string Columns::*column;
};

constexpr Word kWords[] = {
    {"instruction", &Columns::instruction}, {"prompt", &Columns::instruction},
    {"question", &Columns::instruction},    {"input", &Columns::input},
    {"output", &Columns::output},           {"completion", &Columns::output},
    {"response", &Columns::output},         {"answer", &Columns::output},
    {"system", &Columns::system},           {"messages", &Columns::messages},
    {"conversations", &Columns::messages},  {"id", &Columns::id},
};

}  // namespace

Columns parse_columns(std::string_view text) {
  Columns columns;
  while (!text.empty()) {
    std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    while (part.starts_with(' ')) part.remove_prefix(1);
    const size_t equals = part.find('=');
    const auto word = std::ranges::find(kWords, part.substr(0, equals), &Word::word);
    if (equals == std::string_view::npos || word == std::end(kWords)) {
      throw fail<InvalidArgument>(
          "'{}' names no column: it should be instruction=NAME, or input, output, system, "
          "messages or id, with commas between them",
          printable(part));
    }
    std::string& column = columns.*word->column;
    if (!column.empty()) throw fail<InvalidArgument>("'{}': {} has been named before", printable(part), word->word);
    column = part.substr(equals + 1);
    if (column.empty()) throw fail<InvalidArgument>("'{}' has no name behind the =", printable(part));
  }
  if (!columns.messages.empty() && !(columns.instruction + columns.input + columns.output).empty()) {
    throw InvalidArgument("messages has the whole turns of a row; name it, or instruction, input and output");
  }
  return columns;
}

}  // namespace caravel::nuggets
