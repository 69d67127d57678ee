#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fields/json.h"

namespace caravel::nuggets {

/// How a file's rows follow each other.
enum class RowLayout : uint8_t {
  kLines,  // JSON, an object a line; also objects that have line breaks within
  kArray,  // a JSON array of objects
  kCsv,    // a header line, then a record a row
};

/// How a row's text is read and written.
struct RowSyntax {
  RowLayout layout = RowLayout::kLines;
  char delimiter = ',';             // kCsv: a comma, a semicolon or a tab
  std::vector<std::string> header;  // kCsv: the columns' names
};

/// The row of this text as an object; a record's cells are its columns' texts. Throws FormatError: not UTF-8, not JSON,
/// no object, too deep, too many cells or too few.
Json read_row(std::string_view text, const RowSyntax& syntax);

/// A text of this kind of file ends with it: ".json", ".jsonl", ".csv" or ".tsv".
std::string_view extension_of(const RowSyntax& syntax);

}  // namespace caravel::nuggets
