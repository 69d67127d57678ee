#include "nuggets/csv.h"

#include <algorithm>

namespace caravel::nuggets {
namespace {

/// The cell that begins with the quote at `place`, which is moved behind the one that closes it. False: none does.
bool read_quoted(std::string_view text, size_t& place, std::string* cell) {
  while (true) {
    const size_t quote = text.find('"', ++place);
    if (quote == std::string_view::npos) return false;
    if (cell != nullptr) cell->append(text.substr(place, quote - place));
    place = quote + 1;
    if (place == text.size() || text[place] != '"') return true;
    if (cell != nullptr) *cell += '"';
  }
}

size_t find_cell_end(std::string_view text, size_t place, char delimiter) {
  while (place < text.size() && text[place] != delimiter && text[place] != '\n') ++place;
  return place;
}

}  // namespace

std::optional<size_t> read_csv_record(std::string_view text, size_t begin, char delimiter,
                                      std::vector<std::string>* cells) {
  for (size_t place = begin;; ++place) {
    std::string* const cell = cells == nullptr ? nullptr : &cells->emplace_back();
    if (place < text.size() && text[place] == '"') {
      if (!read_quoted(text, place, cell)) return std::nullopt;
    } else {
      const size_t from = place;
      place = find_cell_end(text, place, delimiter);
      const bool is_last = place == text.size() || text[place] == '\n';
      if (is_last && place > from && text[place - 1] == '\r') --place;
      if (cell != nullptr) *cell = text.substr(from, place - from);
    }
    const std::string_view rest = text.substr(place);
    if (rest.empty() || rest[0] == '\n' || rest == "\r" || rest.starts_with("\r\n")) return place;
    if (rest[0] != delimiter) return std::nullopt;
  }
}

std::string csv_cell(std::string_view text, char delimiter) {
  const std::string_view special = "\"\r\n";
  const bool is_plain = text.empty() || (text.find_first_of(special) == std::string_view::npos &&
                                         text.find(delimiter) == std::string_view::npos &&
                                         std::string_view(" \t{[\xEF").find(text[0]) == std::string_view::npos);
  if (is_plain) return std::string(text);
  std::string cell = "\"";
  for (const char c : text) cell.append(c == '"' ? 2 : 1, c);
  return cell + '"';
}

std::optional<RowText> CsvRows::next() {
  size_t begin = place_;
  while (begin < text_.size() && (text_[begin] == '\n' || text_[begin] == '\r')) ++begin;
  if (begin == text_.size()) return std::nullopt;
  RowText row{.begin = begin, .line = lines_.line_at(begin)};
  const std::string_view readable = text_.substr(0, std::min(text_.size(), begin + kMaxRowBytes + 1));
  const auto end = read_csv_record(readable, begin, delimiter_, nullptr);
  row.end = end ? *end : begin;
  if (!end || (*end == readable.size() && *end < text_.size()))
    row.end = std::min(text_.find('\n', row.end), text_.size());
  if (!end) {
    row.problem = "a quote in it is neither closed nor doubled";
    if (!budget_.spend(std::min(readable.size() - begin, kMaxRowBytes))) {
      row.problem = kGivenUp;
      row.end = text_.size();
    }
  }
  place_ = row.end;
  return row;
}

}  // namespace caravel::nuggets
