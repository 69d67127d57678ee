#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nuggets/row_text.h"

namespace caravel::nuggets {

/// Where the record of a CSV text (RFC 4180) that begins at `begin` ends: at a line break, LF or CRLF, or at the end.
/// Its cells go to `cells`, unless that is nullptr. Quotes within a cell that does not begin with one are a part of it.
/// Nothing: a quote in it is neither closed nor doubled.
std::optional<size_t> read_csv_record(std::string_view text, size_t begin, char delimiter,
                                      std::vector<std::string>* cells);

/// A cell as a record has it: in quotes where it needs them.
std::string csv_cell(std::string_view text, char delimiter);

/// Finds the records of a CSV text. One that is broken ends with its first line. Takes time in proportion to the text.
class CsvRows {
 public:
  /// text: outlives the object.
  CsvRows(std::string_view text, char delimiter)
      : text_(text), delimiter_(delimiter), lines_(text), budget_(text.size()) {}

  /// In order, the header first; without blank lines. Nothing: there is no other.
  std::optional<RowText> next();

 private:
  std::string_view text_;
  char delimiter_;
  size_t place_ = 0;
  LineCounter lines_;
  RereadBudget budget_;
};

}  // namespace caravel::nuggets
