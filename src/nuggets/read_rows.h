#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "nuggets/columns.h"
#include "nuggets/row.h"
#include "nuggets/row_shape.h"
#include "nuggets/row_syntax.h"

namespace caravel::nuggets {

/// What is wrong with a row.
struct RowProblem {
  size_t number;     // Row::number
  size_t line;       // Row::line
  std::string what;  // "its 'output' is empty"
  bool is_skipped;   // false: some of the row's answers are left out, and the row is kept
};

/// A whole file of instruction data, in the form in which it was found. Takes some twice the file in memory, and more
/// where rows are short; no row has more than 8 MiB, and none is nested deeper than 1000 levels.
class RowFile {
 public:
  /// At most so many problems are kept.
  static constexpr size_t kMaxProblems = 100'000;

  /// Reads a file ("-": standard input): rows in JSON, in an array or one a line, or CSV with a header line. The first
  /// row that has a known form (RowForm) says that of all. A row that is malformed, empty, without an answer, too long,
  /// or that has the whole content of an earlier one, is a problem and is skipped; an id that an earlier row has gets
  /// the row's number ("x#14"). Throws NotFound, IoError;
  /// FormatError: no text, no known form (with the keys that there are), or no row that can be used.
  static RowFile open(const std::string& path, const Columns& columns = {});
  /// The same of a file's content. name: of the file, for errors.
  static RowFile read(std::string content, const std::string& name, const Columns& columns = {});

  /// At least one, in the file's order.
  const std::vector<Row>& rows() const { return rows_; }
  /// In the file's order.
  const std::vector<RowProblem>& problems() const { return problems_; }
  /// Of the file, also those that were skipped.
  size_t row_count() const { return row_count_; }
  size_t turn_count() const;

  RowForm form() const { return shape_.form; }
  const RowSyntax& syntax() const { return syntax_; }
  /// Those that were given, and of the usual ones those that the form rests on.
  const Columns& columns() const { return shape_.columns; }
  /// The content that rows' begin and end count in: without a byte order mark.
  std::string_view text() const;

 private:
  RowFile() = default;
  void read_rows(const Columns& columns);

  std::string content_;
  RowShape shape_;
  RowSyntax syntax_;
  std::vector<Row> rows_;
  std::vector<RowProblem> problems_;
  size_t row_count_ = 0;
};

}  // namespace caravel::nuggets
