#include "nuggets/row_syntax.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/json_reader.h"
#include "base/utf8.h"
#include "nuggets/csv.h"
#include "nuggets/json_rows.h"

namespace caravel::nuggets {
namespace {

Json read_record(std::string_view text, const RowSyntax& syntax) {
  if (!is_valid_utf8(text))
    throw FormatError("it is not UTF-8; if it is Windows' text, iconv -f WINDOWS-1252 -t UTF-8 makes it so");
  std::vector<std::string> cells;
  if (!read_csv_record(text, 0, syntax.delimiter, &cells)) {
    throw FormatError("a quote in it is neither closed nor doubled");
  }
  const std::vector<std::string>& header = syntax.header;
  if (cells.size() != header.size()) {
    throw fail<FormatError>("it has {} cells, and the header line has {}", cells.size(), header.size());
  }
  Json::object_t row;
  for (size_t i = 0; i < cells.size(); ++i) row.emplace_back(header[i], std::move(cells[i]));
  return row;
}

}  // namespace

Json read_row(std::string_view text, const RowSyntax& syntax) {
  if (syntax.layout == RowLayout::kCsv) return read_record(text, syntax);
  Json row = read_json(text, kMaxRowDepth);
  if (!row.is_object()) throw FormatError("it is not a JSON object");
  return row;
}

std::string_view extension_of(const RowSyntax& syntax) {
  if (syntax.layout == RowLayout::kCsv) return syntax.delimiter == '\t' ? ".tsv" : ".csv";
  return syntax.layout == RowLayout::kArray ? ".json" : ".jsonl";
}

}  // namespace caravel::nuggets
