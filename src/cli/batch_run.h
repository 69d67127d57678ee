#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "caravel/engine.h"
#include "cli/output_file.h"
#include "fields/json.h"

namespace caravel::cli {

/// A file of requests answered into a file of results, which come in the order they finish. The results are the state:
/// what is there whole is not done again, so a run that was killed goes on where it was. A row that failed is: its old
/// result makes way for the new one.
class BatchRun {
 public:
  /// Reads the input ("-": standard input) and what the output holds already (empty: stdout). Throws InvalidArgument: a
  /// row that is no JSON object or repeats an id (with its line), or an output that belongs to another input, or is it.
  /// Throws IoError: another run writes to the output.
  BatchRun(const std::string& input, std::string output);

  struct Outcome {
    bool interrupted = false;
    int64_t rows = 0;         // of the input
    int64_t failed = 0;       // of those that were run
    int64_t first_line = 0;   // of the input, of the first one that failed
    std::string first_error;  // and why
  };

  /// Answers every row that is left, at most 2 * max_num_seqs in flight. given, fallback: as for parse_row(). A row
  /// that is refused gives a result with "error" and the run goes on. Where it is interrupted, what had finished is
  /// written. Throws IoError.
  Outcome run(Engine& engine, const SamplingParams& given, const SamplingParams& fallback, int max_num_seqs);

  /// Puts a file of results in the order of the rows, and leaves out of them what depends on when they ran, so that
  /// runs that were stopped and runs that were not leave the same bytes. Throws IoError.
  void order_output() const;

 private:
  struct Row {
    Json request;
    std::string id;
    int64_t line = 0;
  };
  struct Finished {
    std::unordered_set<std::string> ids;
    size_t bytes = 0;     // the output's whole results; what follows was cut off when an earlier run was killed
    bool failed = false;  // some of them are errors
  };

  static std::vector<Row> read_rows(const std::string& input);
  static Finished read_finished(const std::string& output, const std::vector<Row>& rows);
  void drop_failed();

  const std::string path_;  // of the output
  std::vector<Row> rows_;
  Finished finished_;
  std::optional<OutputFile> output_;
};

}  // namespace caravel::cli
