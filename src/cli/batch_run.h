#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "caravel/engine.h"
#include "cli/output_file.h"
#include "fields/json.h"

namespace caravel::cli {

/// A file of requests answered into a file of results, which come in the order they finish. The results are the state:
/// what is there whole is not done again, so a run that was killed goes on where it was.
class BatchRun {
 public:
  /// Reads the input ("-": standard input) and what the output holds already (empty: stdout). Throws InvalidArgument: a
  /// row that is no JSON object or repeats an id (with its line), or an output that belongs to another input.
  BatchRun(const std::string& input, const std::string& output);

  /// Answers every row that is left, at most 2 * max_num_seqs in flight. given, fallback: as for parse_row(). A row
  /// that is refused gives a result with "error" and the run goes on. False: interrupted; what had finished is written.
  /// Throws IoError.
  bool run(Engine& engine, const SamplingParams& given, const SamplingParams& fallback, int max_num_seqs);

 private:
  struct Row {
    Json request;
    std::string id;
    int64_t line = 0;
  };
  struct Finished {
    std::unordered_set<std::string> ids;
    size_t bytes = 0;  // the output's whole results; what follows was cut off when an earlier run was killed
  };

  static std::vector<Row> read_rows(const std::string& input);
  static Finished read_finished(const std::string& output, const std::vector<Row>& rows);

  std::vector<Row> rows_;
  Finished finished_;
  OutputFile output_;
};

}  // namespace caravel::cli
