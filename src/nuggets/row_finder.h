#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "nuggets/columns.h"
#include "nuggets/csv.h"
#include "nuggets/json_rows.h"
#include "nuggets/row_shape.h"
#include "nuggets/row_syntax.h"
#include "nuggets/row_text.h"

namespace caravel::nuggets {

/// Finds the rows of a file's text, whatever its syntax.
class RowFinder {
 public:
  /// text: outlives the object. Throws FormatError: an empty text, or neither JSON nor CSV with known columns.
  RowFinder(std::string_view text, const Columns& columns);

  const RowSyntax& syntax() const { return syntax_; }
  /// In order. Nothing: there is no other.
  std::optional<RowText> next();

 private:
  std::string_view text_;
  RowSyntax syntax_;
  std::variant<JsonRows, CsvRows> rows_;
};

/// The shape of the first row that has one. text, finder: not moved yet. Throws FormatError, with the keys that rows
/// have.
RowShape find_shape(std::string_view text, RowFinder finder, const Columns& columns);

}  // namespace caravel::nuggets
