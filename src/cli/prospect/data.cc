#include "cli/prospect/data.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "base/log.h"
#include "cli/output_file.h"
#include "cli/usage.h"
#include "nuggets/csv.h"
#include "nuggets/example_rows.h"

namespace caravel::cli {
namespace {

void tell_problems(const nuggets::RowFile& file, const std::string& name) {
  constexpr size_t kMostTold = 5;
  size_t skipped = 0;
  for (const nuggets::RowProblem& problem : file.problems()) skipped += problem.is_skipped;
  for (size_t i = 0; i < std::min(file.problems().size(), kMostTold); ++i) {
    const nuggets::RowProblem& problem = file.problems()[i];
    log::tell(spdlog::level::warn, fmt::format("{}:{}: row {}: {}{}", name, problem.line, problem.number, problem.what,
                                               problem.is_skipped ? ": the row is left out" : ""));
  }
  if (file.problems().size() > kMostTold) {
    log::tell(spdlog::level::warn, fmt::format("{}: {} more like these; {} of {} rows are left out", name,
                                               file.problems().size() - kMostTold, skipped, file.row_count()));
  }
}

}  // namespace

void DataOptions::add_to(CLI::App& command) {
  command
      .add_option("--data", path,
                  "The candidates: Alpaca, ShareGPT, OpenAI's messages, prompt and completion, or message trees, as a "
                  "JSON array or a row a line; or CSV with a header. -: standard input")
      ->default_str("200 rows that come with the program")
      ->check(not_empty());
  command
      .add_option("--columns", columns,
                  "How --data calls what is wanted, where not by one of the usual names: instruction=ask,output=reply; "
                  "also input, system, messages, id")
      ->check(not_empty())
      ->check(readable_by(nuggets::parse_columns));
}

std::string DataOptions::name() const { return path.empty() ? "examples/instructions.json" : path; }

nuggets::RowFile read_rows(const DataOptions& options) {
  const nuggets::Columns columns = nuggets::parse_columns(options.columns);
  if (!options.path.empty()) return nuggets::RowFile::open(options.path, columns);
  return nuggets::RowFile::read(std::string(nuggets::example_rows()), options.name(), columns);
}

nuggets::RowFile read_rows_aloud(const DataOptions& options) {
  nuggets::RowFile file = read_rows(options);
  tell_problems(file, options.name());
  return file;
}

nuggets::RowLayout check_output(const std::string& output, const std::string& data, const nuggets::RowFile& rows) {
  std::error_code unknown;
  if (std::filesystem::equivalent(data, output, unknown)) {
    throw fail<InvalidArgument>("{}: the --output is the --data; give another file", output);
  }
  const nuggets::RowSyntax& syntax = rows.syntax();
  const std::string begin_of_csv =
      syntax.header.empty() ? "" : nuggets::csv_cell(syntax.header.front(), syntax.delimiter);
  holds_own(output, {"[", "{", begin_of_csv.empty() ? "{" : begin_of_csv}, "rows");
  const std::string ending = std::filesystem::path(output).extension().string();
  const bool is_csv = syntax.layout == nuggets::RowLayout::kCsv;
  if (is_csv ? ending == ".json" || ending == ".jsonl" : ending == ".csv" || ending == ".tsv") {
    throw fail<InvalidArgument>("--output {}: rows are written in the form in which they were read, which is {}",
                                output, is_csv ? "CSV" : "JSON");
  }
  return ending == ".json"    ? nuggets::RowLayout::kArray
         : ending == ".jsonl" ? nuggets::RowLayout::kLines
                              : syntax.layout;
}

}  // namespace caravel::cli
