#include "nuggets/read_rows.h"

#include <fmt/format.h>

#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/byte_order_mark.h"
#include "base/error.h"
#include "base/file.h"
#include "base/numbers.h"
#include "base/printable.h"
#include "nuggets/row_finder.h"

namespace caravel::nuggets {
namespace {

constexpr size_t kProblemBytes = 300;  // of what is said of a row

/// Throws FormatError where the bytes are not those of a text, and says how to make them one.
void check_text(std::string_view content) {
  if (content.starts_with("PAR1")) {
    throw FormatError(
        "it is a Parquet file, which cannot be read here; this makes JSONL of it: python3 -c \"import pandas, sys; "
        "pandas.read_parquet(sys.argv[1]).to_json(sys.argv[2], orient='records', lines=True, force_ascii=False)\" "
        "DATA.parquet DATA.jsonl");
  }
  if (content.starts_with("\x1F\x8B")) throw FormatError("it is packed; gunzip unpacks it");
  if (content.starts_with("PK\x03\x04")) throw FormatError("it is packed; unzip unpacks it");
  if (content.starts_with("\x28\xB5\x2F\xFD")) throw FormatError("it is packed; unzstd unpacks it");
  if (content.starts_with("\xFF\xFE") || content.starts_with("\xFE\xFF")) {
    throw FormatError("it is UTF-16; iconv -f UTF-16 -t UTF-8 makes it UTF-8, which can be read");
  }
}

/// A parser's message about a row that begins on a line, with the file's lines instead of the row's.
std::string in_lines_of_file(std::string what, size_t line) {
  constexpr std::string_view kLine = "at line ";
  const size_t at = what.find(kLine);
  if (at == std::string::npos) return what;
  const size_t begin = at + kLine.size();
  const size_t end = what.find(", ", begin);
  if (end == std::string::npos) return what;
  const auto number = parse_number<size_t>(std::string_view(what).substr(begin, end - begin));
  if (!number) return what;
  if (*number == 1) return what.erase(at + 3, end + 2 - (at + 3));  // "at column 5"
  return what.replace(begin, end - begin, std::to_string(*number + line - 1));
}

/// Finds the earlier row that is like one.
class Seen {
 public:
  explicit Seen(const std::vector<Row>& rows) : rows_(rows) {}

  /// nullptr: none that is_same says is it. Otherwise the row that is to become the next in rows is remembered.
  template <typename IsSame>
  const Row* find_or_add(Hash128 hash, IsSame is_same) {
    const auto [found, is_new] = places_.emplace(hash, rows_.size());
    return !is_new && is_same(rows_[found->second]) ? &rows_[found->second] : nullptr;
  }

 private:
  const std::vector<Row>& rows_;
  std::unordered_map<Hash128, size_t> places_;
};

}  // namespace

RowFile RowFile::open(const std::string& path, const Columns& columns) {
  return read(read_input(path), path == "-" ? "standard input" : path, columns);
}

RowFile RowFile::read(std::string content, const std::string& name, const Columns& columns) {
  RowFile file;
  file.content_ = std::move(content);
  try {
    check_text(file.content_);
    file.read_rows(columns);
  } catch (const FormatError& error) {
    throw fail<FormatError>("{}: {}", name, error.what());
  }
  return file;
}

void RowFile::read_rows(const Columns& columns) {
  RowFinder finder(text(), columns);
  syntax_ = finder.syntax();
  shape_ = find_shape(text(), finder, columns);
  std::unordered_set<std::string> ids;
  bool ids_repeat = false;
  Seen contents(rows_);
  while (const std::optional<RowText> found = finder.next()) {
    const auto add_problem = [&](std::string_view what, bool is_skipped) {
      if (problems_.size() == kMaxProblems) return;
      problems_.push_back({row_count_, found->line, printable(what, kProblemBytes), is_skipped});
    };
    Row row{.number = ++row_count_, .line = found->line, .begin = found->begin, .end = found->end};
    if (found->problem != nullptr) {
      add_problem(found->problem, true);
      continue;
    }
    RowContent said;
    try {
      const Json json = read_row(text().substr(row.begin, row.end - row.begin), syntax_);
      row.id = id_of(json, shape_.columns);
      said = read_content(json, shape_);
    } catch (const FormatError& error) {
      add_problem(in_lines_of_file(error.what(), row.line), true);
      continue;
    } catch (const InvalidArgument& error) {  // what is wrong with a field
      add_problem(error.what(), true);
      continue;
    }
    row.turns = std::move(said.turns);
    if (row.id.empty()) row.id = fmt::format("row-{}", row.number);
    const Hash128 content = content_hash(row);
    if (const Row* const same = contents.find_or_add(content, [&](const Row& r) { return same_content(r, row); })) {
      add_problem(fmt::format("it says the same as row {} on line {}", same->number, same->line), true);
      continue;
    }
    if (const std::string own = row.id; !ids.insert(own).second) {
      // Ids of groups, or of sources: many rows have each.
      while (!ids.insert(row.id = fmt::format("{}#{}", row.id, row.number)).second) {
      }
      if (!std::exchange(ids_repeat, true)) {
        add_problem(fmt::format("an earlier row has its id, '{}', too: such rows are told apart as this one, '{}'", own,
                                row.id),
                    false);
      }
    }
    if (!said.left_out.empty()) add_problem(said.left_out, false);
    rows_.push_back(std::move(row));
  }
  if (!rows_.empty()) return;
  std::string problems;
  for (size_t i = 0; i < std::min<size_t>(problems_.size(), 3); ++i) {
    problems += fmt::format("; line {}: {}", problems_[i].line, problems_[i].what);
  }
  throw fail<FormatError>("of its rows ({}) none can be used{}", row_count_, problems);
}

size_t RowFile::turn_count() const {
  size_t count = 0;
  for (const Row& row : rows_) count += row.turns.size();
  return count;
}

std::string_view RowFile::text() const { return without_byte_order_mark(content_); }

}  // namespace caravel::nuggets
