#pragma once

#include <string>
#include <vector>

#include "caravel/error.h"
#include "nuggets/read_rows.h"

namespace caravel::nuggets {

/// "system:be brief|user:hi>hello" for each turn.
inline std::vector<std::string> turns_of(const RowFile& file) {
  std::vector<std::string> turns;
  for (const Row& row : file.rows()) {
    for (const Turn& turn : row.turns) {
      std::string text;
      for (const Message* const message : turn.path()) {
        text += (text.empty() ? "" : "|") + message->role + ":" + message->content;
      }
      turns.push_back(text + ">" + turn.answer());
    }
  }
  return turns;
}

/// "2: what is wrong" for each, by the line.
inline std::vector<std::string> problems_of(const RowFile& file) {
  std::vector<std::string> problems;
  for (const RowProblem& problem : file.problems()) {
    problems.push_back(std::to_string(problem.line) + ": " + problem.what);
  }
  return problems;
}

inline RowFile read_text(std::string text, const Columns& columns = {}) {
  return RowFile::read(std::move(text), "data", columns);
}

/// What the reading of a file throws.
inline std::string refusal_of(std::string text, const Columns& columns = {}) {
  try {
    read_text(std::move(text), columns);
  } catch (const FormatError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace caravel::nuggets
