#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "caravel/engine.h"
#include "cli/batch_run.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/open_engine.h"
#include "cli/usage.h"

namespace caravel::cli {
namespace {

struct ScoreOptions {
  EngineConfig engine;
  BatchOptions batch = {.form = BatchForm::kScores, .in_order = true};
  bool json = true;
  bool windows = false;
  int stride = 0;  // 0: half of the engine's context
};

/// How far apart the windows begin; 0: no windows. Throws UsageError where there can be none, or a window's first token
/// would have nothing before it.
size_t stride_of(const ScoreOptions& options, const ModelInfo& model) {
  if (!options.windows) return 0;
  if (model.max_model_len < 2) {
    throw UsageError(
        "--windows: the context is 1 token, and a token is scored behind another: give a --max-model-len of "
        "2 or more");
  }
  if (options.stride == 0) return static_cast<size_t>(std::max(model.max_model_len / 2, 1));
  if (options.stride < model.max_model_len) return static_cast<size_t>(options.stride);
  throw fail<UsageError>("--stride {}: must be less than a window, which is the context of {} tokens", options.stride,
                         model.max_model_len);
}

/// Gives the exit code.
int run(const ScoreOptions& options) {
  BatchRun batch(options.batch);
  const auto engine = open_engine(options.engine);
  const std::unique_ptr<RowAnswerer> answerer = answer_score_rows(*engine, stride_of(options, engine->model()));
  const BatchOutcome outcome = batch.run(*answerer, engine->model(), {});
  // Where results alone were asked for, on standard output, there is nothing to say but what went wrong.
  if (batch.has_file() || outcome.exit_code() != 0) {
    for (const std::string& line : summary(outcome, batch.has_file() ? options.batch.output : "")) {
      log::tell(outcome.failed > 0 ? spdlog::level::err : spdlog::level::info, line);
    }
  }
  return outcome.exit_code();
}

}  // namespace

void add_score(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<ScoreOptions>();
  CLI::App& command = *program.add_subcommand("score", "Log-probabilities of continuations of a prefix");
  BatchOptions& batch = options->batch;
  command
      .add_option("-i,--input", batch.input,
                  "One {\"prefix\": ..., \"continuations\": [...]} a line, texts or token ids; -: standard input")
      ->required()
      ->check(not_empty());
  auto* output = command
                     .add_option("-o,--output", batch.output,
                                 "One {\"scores\": [...]} a line, in the order of the rows; goes on where it was "
                                 "stopped, and runs again what was changed; default: standard output")
                     ->check(not_empty());
  command.add_flag("--retry-failed", batch.retry_failed, "Run again the rows whose result in --output is an error")
      ->needs(output);
  command.add_flag("--json", options->json, "One JSON object a row (there is no other form)");
  auto* windows = command.add_flag("--windows", options->windows,
                                   "Texts longer than the engine's context in windows of its size, as perplexity's "
                                   "--windows transformers has them; they are refused otherwise");
  command
      .add_option("--stride", options->stride,
                  "Tokens from one window's beginning to the next one's; each token has the rest of a window before it")
      ->transform(whole_number(1, 1 << 30))
      ->default_str("half of the context")
      ->needs(windows);
  add_engine_flags(command, options->engine);
  command.callback([options, &exit_code] {
    BatchOptions& rows = options->batch;
    rows.shows_progress = !rows.output.empty() && rows.output != "-";
    exit_code = run(*options);
  });
}

}  // namespace caravel::cli
