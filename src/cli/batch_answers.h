#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "caravel/engine.h"
#include "cli/batch_input.h"
#include "cli/result_fields.h"

namespace caravel::cli {

/// What became of a row.
struct RowOutcome {
  std::string lines;  // its result, with line breaks: written together, so that it is in the output whole or not at all
  bool failed = false;
  std::string error;  // why
  int cut = 0;        // answers that did not end by themselves
};

/// A row that is being answered; dropping it cancels. One thread.
class RowWork {
 public:
  virtual ~RowWork() = default;
  /// Takes what there is. Nothing: it goes on.
  virtual std::optional<RowOutcome> advance() = 0;
};

/// Answers the rows of one form, and spells their results. One thread.
class RowAnswerer {
 public:
  virtual ~RowAnswerer() = default;
  /// on_news: as Engine::submit has it. The work must not outlive the answerer. Throws Error: what is wrong with the
  /// row; Busy as Engine::submit does.
  virtual std::unique_ptr<RowWork> begin(const BatchRow& row, OnNews on_news) = 0;
  /// What becomes of a row that begin() refused.
  virtual RowOutcome refuse(const BatchRow& row, const Error& error) const = 0;
  /// Generated so far (of scores: computed), for all rows.
  virtual int64_t tokens() const = 0;
  /// What decides all answers alike, beside the model and `given`.
  virtual std::string settings() const { return ""; }
};

/// For rows in a request's own fields. given: as for parse_row().
std::unique_ptr<RowAnswerer> answer_rows(Engine& engine, const SamplingParams& given, const ResultFields& fields);

/// For OpenAI's form: each body is answered by the server's own endpoint of its url. What a body does not say of the
/// sampling is as in `given`. model_name: as answers call the model.
std::unique_ptr<RowAnswerer> answer_openai_rows(Engine& engine, const SamplingParams& given,
                                                const std::string& model_name);

/// For rows of `caravel score`. stride: of the windows that texts longer than the context are scored in; 0: they are
/// refused.
std::unique_ptr<RowAnswerer> answer_score_rows(Engine& engine, size_t stride);

}  // namespace caravel::cli
