#pragma once

#include <deque>
#include <memory>
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
  std::string input;              // "-": standard input
  std::string output;             // empty or "-": stdout
  std::optional<BatchForm> form;  // of the rows; nothing: as the first one is
  bool in_order = false;          // results come in the order of the rows, not in that in which they finish
  bool ordered = false;           // settle_results()
  bool shows_progress = true;
  bool retry_failed = false;        // rows whose result is an error are run again
  std::vector<std::string> fields;  // of ResultFields::names(); empty: those that are there by default

  ResultFields result_fields() const { return fields.empty() ? ResultFields() : ResultFields(fields); }
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

  BatchForm form() const { return input_.form; }
  /// Where results go is a file, which another run may go on with.
  bool has_file() const { return output_->is_file(); }

  /// Answers every row that is left, at most twice as many in flight as the engine has sequences in a step. given: what
  /// the answerer was made with. A row that is refused, or that memory does not suffice for, gives an error for its
  /// result and the run goes on. Where it is interrupted, what had finished is written. Throws IoError.
  BatchOutcome run(RowAnswerer& answerer, const ModelInfo& model, const SamplingParams& given);

 private:
  /// A row that is being answered, or has an outcome that is not written yet.
  struct Running {
    const BatchRow* row;
    std::unique_ptr<RowWork> work = nullptr;
    std::optional<RowOutcome> outcome = std::nullopt;
  };

  /// Takes the next row on: false where that has to wait. Throws Interrupted.
  static bool begin(RowAnswerer& answerer, const BatchRow& row, const OnNews& on_news, std::deque<Running>& running);
  /// Looks what has become of it.
  static void advance(Running& item, const RowAnswerer& answerer);
  void write(const Running& item, BatchOutcome& outcome);
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
