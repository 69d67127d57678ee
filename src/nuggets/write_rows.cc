#include "nuggets/write_rows.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "nuggets/csv.h"

namespace caravel::nuggets {
namespace {

std::string cell_text(const Json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? value.get<std::string>() : to_text(value);
}

}  // namespace

RowWriter::RowWriter(const RowFile& file, RowLayout layout, Sink sink)
    : file_(file), layout_(layout), sink_(std::move(sink)), header_(file.syntax().header) {
  CARAVEL_CHECK((layout == RowLayout::kCsv) == (file.syntax().layout == RowLayout::kCsv));
}

void RowWriter::write(const Row& row, const Json& added) {
  begin(added);
  const std::string_view text = file_.text().substr(row.begin, row.end - row.begin);
  const bool is_first = !std::exchange(has_rows_, true);
  if (layout_ == RowLayout::kCsv) {
    std::vector<std::string> cells;
    read_csv_record(text, 0, file_.syntax().delimiter, &cells);
    cells.resize(header_.size());
    const size_t own = file_.syntax().header.size();
    for (size_t i = 0; i < cells.size(); ++i) {
      const auto field = added.find(header_[i]);
      if (field == added.end()) continue;
      cells[i] = cell_text(*field);
      if (i < own) replaced_.insert(header_[i]);
    }
    write_record(cells);
    return;
  }
  Json json = read_row(text, file_.syntax());
  for (const auto& [name, value] : added.get_ref<const Json::object_t&>()) {
    if (json.contains(name)) replaced_.insert(name);
    json[name] = value;
  }
  if (layout_ == RowLayout::kLines) {
    sink_(to_text(json) + "\n");
  } else {
    sink_((is_first ? "" : ",\n") + to_text(json));
  }
}

void RowWriter::end() {
  begin(Json::object());
  if (layout_ == RowLayout::kArray) sink_(has_rows_ ? "\n]\n" : "]\n");
}

void RowWriter::begin(const Json& added) {
  if (std::exchange(has_begun_, true)) return;
  if (layout_ == RowLayout::kArray) sink_("[\n");
  if (layout_ != RowLayout::kCsv) return;
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
