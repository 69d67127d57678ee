#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "caravel/error.h"
#include "nuggets/read_rows.h"

namespace caravel::cli {

/// A check of a flag's value by what will read it: what that throws says what is wrong.
template <typename Read>
CLI::Validator readable_by(Read read) {
  return {[read](std::string& text) {
            try {
              read(text);
            } catch (const InvalidArgument& error) {
              return std::string(error.what());
            }
            return std::string();
          },
          ""};
}

/// Which rows, as flags: --data and --columns.
struct DataOptions {
  std::string path;  // empty: the rows that the program brings
  std::string columns;

  void add_to(CLI::App& command);
  /// For messages and run.json.
  std::string name() const;
};

/// Throws as RowFile::open() does.
nuggets::RowFile read_rows(const DataOptions& options);
/// The same, and says on stderr what is wrong with some.
nuggets::RowFile read_rows_aloud(const DataOptions& options);

/// How some of `rows` are written to `output`: as they were read, but an array or a row a line where its name says so.
/// Throws InvalidArgument where the output is the file they come from (`data`), holds something else than rows, or has
/// the name of another form.
nuggets::RowLayout check_output(const std::string& output, const std::string& data, const nuggets::RowFile& rows);

}  // namespace caravel::cli
