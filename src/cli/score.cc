#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "caravel/engine.h"
#include "chat/score_pairs.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "cli/output_file.h"
#include "cli/request_row.h"
#include "cli/usage.h"
#include "cli/windowed_score.h"
#include "fields/fields.h"

namespace caravel::cli {
namespace {

struct ScoreOptions {
  EngineConfig engine;
  std::string input;
  std::string output;
  bool json = true;
  bool windows = false;
  int stride = 0;  // 0: half of the engine's context
};

/// How far apart the windows begin; 0: no windows. Throws UsageError where a window's first token would have nothing
/// before it.
size_t stride_of(const ScoreOptions& options, const ModelInfo& model) {
  if (!options.windows) return 0;
  if (options.stride == 0) return static_cast<size_t>(std::max(model.max_model_len / 2, 1));
  if (options.stride < model.max_model_len) return static_cast<size_t>(options.stride);
  throw fail<UsageError>("--stride {}: must be less than a window, which is the context of {} tokens", options.stride,
                         model.max_model_len);
}

/// Result::scores.
std::vector<std::vector<Score>> score_items(Engine& engine, std::vector<ScoreRequest::Item> items, size_t stride) {
  std::optional<WindowedScore> windowed;
  if (stride > 0) {
    windowed.emplace(items, static_cast<size_t>(engine.model().max_model_len), stride);
    items = windowed->items();
  }
  const auto handle = engine.score({.items = std::move(items)});
  const Result& result = handle->result();
  if (!result.error.empty()) throw fail<Error>("{}", result.error);
  return windowed ? windowed->join(result.scores) : result.scores;
}

Json score_row(Engine& engine, const Json& row, size_t stride) {
  Fields fields(row);
  const Json* id = fields.find("id");
  chat::ScorePairs pairs = chat::parse_score_pairs(fields, engine.tokenizer(), engine.model().vocab_size);
  fields.refuse_unknown();
  const std::vector<std::vector<Score>> scores = score_items(engine, std::exchange(pairs.items, {}), stride);
  Json answer = Json::object();
  if (id != nullptr) answer["id"] = *id;
  answer["scores"] = Json::array();
  for (size_t i = 0; i < pairs.places.size(); ++i) {
    answer["scores"].push_back(chat::score_json(pairs, scores, i, engine.tokenizer()));
  }
  return answer;
}

}  // namespace

void add_score(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<ScoreOptions>();
  CLI::App& command = *program.add_subcommand("score", "Log-probabilities of continuations of a prefix");
  command
      .add_option("-i,--input", options->input,
                  "One {\"prefix\": ..., \"continuations\": [...]} a line, texts or token ids; -: standard input")
      ->required();
  command.add_option("-o,--output", options->output, "One {\"scores\": [...]} a line; default: standard output");
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
    std::istringstream file;
    if (options->input != "-") file.str(read_file(options->input));
    std::istream& input = options->input == "-" ? std::cin : file;
    std::error_code unknown;
    if (std::filesystem::equivalent(options->input, options->output, unknown)) {
      throw fail<InvalidArgument>("{}: the --output is the --input; give another file", options->output);
    }
    OutputFile output(options->output);
    output.keep(0);
    const auto engine = Engine::open(options->engine);
    const size_t stride = stride_of(*options, engine->model());
    const InterruptGuard guard;
    std::string text;
    for (int64_t line = 1; std::getline(input, text); ++line) {
      if (guard.interrupted()) {
        exit_code = kInterruptedExitCode;
        return;
      }
      if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
      const Json row = parse_line(text, options->input, line);
      try {
        output.write(to_text(score_row(*engine, row, stride)) + "\n");
      } catch (const InvalidArgument& error) {
        throw fail<InvalidArgument>("{}:{}: {}", options->input, line, error.what());
      }
    }
  });
}

}  // namespace caravel::cli
