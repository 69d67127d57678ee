#include "nuggets/write_rows.h"

#include <algorithm>
#include <utility>

#include "nuggets/csv.h"

namespace caravel::nuggets {
namespace {

std::string cell_text(const Json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? value.get<std::string>() : to_text(value);
}

}  // namespace

RowWriter::RowWriter(const RowFile& file, Sink sink)
    : file_(file), sink_(std::move(sink)), header_(file.syntax().header) {}

void RowWriter::write(const Row& row, const Json& added) {
  begin(added);
  const std::string_view text = file_.text().substr(row.begin, row.end - row.begin);
  const bool is_first = !std::exchange(has_rows_, true);
  if (file_.syntax().layout == RowLayout::kCsv) {
    std::vector<std::string> cells;
    read_csv_record(text, 0, file_.syntax().delimiter, &cells);
    cells.resize(header_.size());
    for (size_t i = 0; i < cells.size(); ++i) {
      if (const auto field = added.find(header_[i]); field != added.end()) cells[i] = cell_text(*field);
    }
    write_record(cells);
    return;
  }
  Json json = read_row(text, file_.syntax());
  for (const auto& [name, value] : added.get_ref<const Json::object_t&>()) json[name] = value;
  if (file_.syntax().layout == RowLayout::kLines) {
    sink_(to_text(json) + "\n");
  } else {
    sink_((is_first ? "" : ",\n") + to_text(json));
  }
}

void RowWriter::end() {
  begin(Json::object());
  if (file_.syntax().layout == RowLayout::kArray) sink_(has_rows_ ? "\n]\n" : "]\n");
}

void RowWriter::begin(const Json& added) {
  if (std::exchange(has_begun_, true)) return;
  if (file_.syntax().layout == RowLayout::kArray) sink_("[\n");
  if (file_.syntax().layout != RowLayout::kCsv) return;
  for (const auto& [name, value] : added.get_ref<const Json::object_t&>()) {
    if (std::ranges::find(header_, name) == header_.end()) header_.push_back(name);
  }
  write_record(header_);
}

void RowWriter::write_record(const std::vector<std::string>& cells) {
  const char delimiter = file_.syntax().delimiter;
  std::string record;
  for (const std::string& cell : cells) record += csv_cell(cell, delimiter) + delimiter;
  record.back() = '\n';
  sink_(record);
}

}  // namespace caravel::nuggets
