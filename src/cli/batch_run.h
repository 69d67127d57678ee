#pragma once

#include <optional>
#include <string>
#include <vector>

#include "caravel/engine.h"
#include "cli/batch_answers.h"
#include "cli/batch_input.h"
#include "cli/batch_results.h"
#include "cli/batch_summary.h"
#include "cli/output_file.h"
#include "cli/result_fields.h"

namespace caravel::cli {

struct BatchOptions {
  std::string input;                // "-": standard input
  std::string output;               // empty or "-": stdout
  bool ordered = false;             // settle_results()
  bool retry_failed = false;        // rows whose result is an error are run again
  std::vector<std::string> fields;  // of ResultFields::names(); empty: those that are there by default
};

/// A file of requests answered into a file of results, which come in the order they finish. The results are the state:
/// a row whose result is there, and of the same content, is not run again, so a run that was killed goes on where it
/// was. Old results go when all rows have run, and not before their successors are there.
class BatchRun {
 public:
  /// Reads the input and what the output holds already. Throws as read_batch(), read_results() and refuse_foreign() do;
  /// InvalidArgument where the output is the input, or the fields say nothing of the rows' form; IoError where another
  /// run writes to the output.
  explicit BatchRun(BatchOptions options);

  /// Answers every row that is left, at most 2 * max_num_seqs in flight. given: as for parse_row(). A row
  /// that is refused gives an error for its result and the run goes on. Where it is interrupted, what had finished is
  /// written. Throws IoError.
  BatchOutcome run(Engine& engine, const SamplingParams& given, int max_num_seqs);

 private:
  /// The rows to be run; those that are not are counted. Says which old results no row has any more.
  std::vector<const BatchRow*> rows_left(BatchOutcome& outcome);
  void answer(RowAnswerer& answerer, std::vector<const BatchRow*> left, size_t most_in_flight, BatchOutcome& outcome);

  const BatchOptions options_;
  const ResultFields fields_;
  BatchInput input_;
  BatchResults results_;  // as they were at the start
  bool has_old_results_ = false;
  std::optional<OutputFile> output_;
};

}  // namespace caravel::cli
