#pragma once

#include <string>
#include <string_view>

namespace caravel::nuggets {

/// Which columns of a CSV file, or keys of JSON rows, have what. Empty: one of the usual names.
struct Columns {
  std::string instruction;  // or prompt, question: what a user asks
  std::string input;        // what to do it to, where that stands apart
  std::string output;       // or completion, answer
  std::string system;       // the system message of rows that have it beside the turns
  std::string messages;     // a list of turns
  std::string id;
};

/// "instruction=ask,output=reply,id=key", as a flag says it; prompt and question are other words for instruction,
/// completion, response and answer for output, conversations for messages. Empty: the usual names. Throws
/// InvalidArgument: no such column, one twice, without a name, or messages beside what they stand for.
Columns parse_columns(std::string_view text);

}  // namespace caravel::nuggets
