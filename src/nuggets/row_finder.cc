#include "nuggets/row_finder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/printable.h"

namespace caravel::nuggets {
namespace {

constexpr size_t kRowsLookedAt = 1000;  // for one of a known shape
constexpr size_t kRowsShown = 3;        // their keys
constexpr size_t kKeysShown = 30;

/// The error of a file that has no known form. names: of its columns or keys.
FormatError unknown_form(std::string_view where, const std::vector<std::string>& names, const Columns& columns) {
  std::string shown;
  for (size_t i = 0; i < std::min(names.size(), kKeysShown); ++i) {
    shown += (i == 0 ? "" : ", ") + printable(names[i], 40);
  }
  if (names.size() > kKeysShown) shown += fmt::format(" and {} more", names.size() - kKeysShown);
  std::string wanted;
  for (const std::string* const name : {&columns.instruction, &columns.input, &columns.output, &columns.messages}) {
    if (!name->empty()) wanted += (wanted.empty() ? "" : ", ") + *name;
  }
  if (!wanted.empty()) {
    return fail<FormatError>("{} {}, not the columns that were named ({}) with what belongs to them", where, shown,
                             wanted);
  }
  return fail<FormatError>(
      "its form is not known: {} {}; known are {}. Name other columns with --columns instruction=NAME,output=NAME, "
      "also input=, system=, messages= and id=",
      where, shown, kKnownShapes);
}

std::vector<std::string> header_of(std::string_view text, char delimiter) {
  std::vector<std::string> header;
  const std::optional<RowText> row = CsvRows(text, delimiter).next();
  if (!row || row->end - row->begin > kMaxRowBytes) return {};
  if (row->problem != nullptr || !read_csv_record(text.substr(0, row->end), row->begin, delimiter, &header)) return {};
  return header;
}

/// Throws FormatError.
RowSyntax csv_syntax(std::string_view text, const Columns& columns) {
  for (const char delimiter : {',', ';', '\t'}) {
    std::vector<std::string> header = header_of(text, delimiter);
    Json::object_t row;
    for (const std::string& name : header) row.emplace_back(name, "");
    if (!shape_of(Json(std::move(row)), columns)) continue;
    return {.layout = RowLayout::kCsv, .delimiter = delimiter, .header = std::move(header)};
  }
  throw unknown_form("it is neither JSON, nor is its first line the header of a CSV file of a known form, but",
                     header_of(text, ','), columns);
}

RowSyntax syntax_of(std::string_view text, const Columns& columns) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) throw FormatError("it is empty");
  if (text[begin] == '[') return {.layout = RowLayout::kArray};
  if (text[begin] == '{') return {.layout = RowLayout::kLines};
  return csv_syntax(text, columns);
}

std::variant<JsonRows, CsvRows> rows_of(std::string_view text, const RowSyntax& syntax) {
  if (syntax.layout != RowLayout::kCsv) return JsonRows(text);
  CsvRows rows(text, syntax.delimiter);
  rows.next();  // the header
  return rows;
}

}  // namespace

RowFinder::RowFinder(std::string_view text, const Columns& columns)
    : text_(text), syntax_(syntax_of(text, columns)), rows_(rows_of(text, syntax_)) {}

std::optional<RowText> RowFinder::next() {
  std::optional<RowText> row = std::visit([](auto& rows) { return rows.next(); }, rows_);
  if (row && row->problem == nullptr && row->end - row->begin > kMaxRowBytes) {
    row->problem = "it has more than 8 MiB, more than any context holds";
  }
  return row;
}

RowShape find_shape(std::string_view text, RowFinder finder, const Columns& columns) {
  std::vector<std::string> names;
  size_t objects = 0;
  std::string first_problem;
  for (size_t i = 0; i < kRowsLookedAt; ++i) {
    const std::optional<RowText> found = finder.next();
    if (!found) break;
    try {
      if (found->problem != nullptr) throw FormatError(found->problem);
      const Json row = read_row(text.substr(found->begin, found->end - found->begin), finder.syntax());
      if (auto shape = shape_of(row, columns)) return *std::move(shape);
      if (++objects > kRowsShown) continue;
      for (const auto& [name, value] : row.get_ref<const Json::object_t&>()) {
        if (names.size() <= kKeysShown && std::ranges::find(names, name) == names.end()) names.push_back(name);
      }
    } catch (const FormatError& error) {
      if (first_problem.empty()) first_problem = fmt::format("line {}: {}", found->line, printable(error.what(), 300));
    }
  }
  if (objects == 0) {
    throw fail<FormatError>("no row can be read{}{}", first_problem.empty() ? "" : "; ", first_problem);
  }
  throw unknown_form("its first rows have the keys", names, columns);
}

}  // namespace caravel::nuggets
