// A file of instruction data: it is read, or refused with FormatError, and what is written of it reads the same again.
#include <cstdlib>
#include <string>
#include <utility>

#include "caravel/error.h"
#include "nuggets/write_rows.h"

namespace {

using caravel::nuggets::RowFile;

void check_rows(const RowFile& file) {
  if (file.rows().empty() || file.rows().size() > file.row_count()) std::abort();
  size_t line = 1;
  size_t begin = 0;
  for (const auto& row : file.rows()) {
    if (row.line < line || row.begin < begin || row.end > file.text().size() || row.turns.empty()) std::abort();
    line = row.line;
    begin = row.end;
    for (const auto& turn : row.turns) {
      if (turn.answer().empty() || turn.path().empty()) std::abort();
      caravel::nuggets::instruction_of(turn);
    }
  }
}

std::string written(const RowFile& file) {
  std::string text;
  caravel::nuggets::RowWriter writer(file, file.syntax().layout, [&text](std::string_view part) { text += part; });
  for (const auto& row : file.rows()) writer.write(row, {{"gs", 0.5}});
  writer.end();
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const RowFile file = RowFile::read(std::string(reinterpret_cast<const char*>(data), size), "data");
    check_rows(file);
    const RowFile again = RowFile::read(written(file), "again", file.columns());
    // The first row may have had another form than those that are left of the file.
    if (again.form() != file.form()) return 0;
    if (again.rows().size() != file.rows().size()) std::abort();
    for (size_t i = 0; i < file.rows().size(); ++i) {
      if (!same_content(file.rows()[i], again.rows()[i])) std::abort();
    }
  } catch (const caravel::FormatError&) {
  }
  return 0;
}
