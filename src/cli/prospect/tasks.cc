#include "cli/prospect/tasks.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/float_vector.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "caravel/engine.h"
#include "chat/prompt.h"
#include "cli/interrupt.h"
#include "cli/open_engine.h"
#include "cli/output_file.h"
#include "cli/progress.h"
#include "cli/prospect/commands.h"
#include "cli/prospect/data.h"
#include "cli/run_in_order.h"
#include "cli/usage.h"
#include "nuggets/choose_tasks.h"
#include "nuggets/write_rows.h"

namespace caravel::cli {
namespace {

/// What a row is about: its first question, and the answer.
std::string embedded_text(const nuggets::Row& row) {
  const nuggets::Turn& turn = row.turns.front();
  return turn.path().back()->content + "\n\n" + turn.answer();
}

std::vector<float> embed_rows(const nuggets::RowFile& rows, const EmbeddingOptions& options) {
  const auto engine = open_engine({.model = options.model, .threads = options.threads});
  const Tokenizer& tokenizer = engine->tokenizer();
  const auto room = static_cast<size_t>(engine->model().max_model_len);
  const InterruptGuard guard;
  Progress progress(guard, static_cast<int64_t>(rows.rows().size()), 0);
  std::vector<float> values;
  const auto send = [&](size_t i) {
    chat::Prompt prompt{.tokens = tokenizer.encode(embedded_text(rows.rows()[i])), .text = {}};
    chat::cut(prompt, room, engine->model(), tokenizer);
    return engine->embed({.tokens = std::move(prompt.tokens)});
  };
  const auto each = [&](size_t i, const Result& result) {
    const std::vector<float> unit = unit_vector(result.embedding);
    values.insert(values.end(), unit.begin(), unit.end());
    progress.update(static_cast<int64_t>(i) + 1, engine->stats().computed_tokens);
  };
  constexpr size_t kAhead = 128;
  if (run_in_order(rows.rows().size(), kAhead, guard, send, each) < rows.rows().size()) {
    throw NothingKept("interrupted: embeddings of all rows are wanted before any task can be chosen");
  }
  return values;
}

}  // namespace

NpyMatrix row_embeddings(const nuggets::RowFile& rows, const EmbeddingOptions& options) {
  const size_t count = rows.rows().size();
  NpyMatrix matrix;
  if (options.file.empty()) {
    matrix.values = embed_rows(rows, options);
    matrix.rows = count;
    matrix.columns = matrix.values.size() / count;
    return matrix;
  }
  matrix = read_npy(options.file);
  if (matrix.rows != count) {
    throw fail<InvalidArgument>("--embeddings {}: has {} rows, and {} rows of the data can be used: one for each",
                                options.file, matrix.rows, count);
  }
  if (matrix.columns == 0) throw fail<InvalidArgument>("--embeddings {}: its rows have no numbers", options.file);
  for (size_t i = 0; i < count; ++i) {
    const auto first = matrix.values.begin() + static_cast<ptrdiff_t>(i * matrix.columns);
    std::ranges::copy(unit_vector({first, first + static_cast<ptrdiff_t>(matrix.columns)}), first);
  }
  return matrix;
}

std::vector<size_t> choose_tasks(const nuggets::RowFile& rows, const TaskChoice& choice,
                                 const EmbeddingOptions& embeddings, uint64_t seed) {
  const auto wanted = static_cast<size_t>(std::max(choice.kmeans, choice.random));
  if (wanted > rows.rows().size()) {
    log::tell(spdlog::level::warn,
              fmt::format("{} tasks are wanted of {} rows: all of these are tasks", wanted, rows.rows().size()));
  }
  if (choice.kmeans == 0) {
    return nuggets::random_rows(rows.rows().size(), static_cast<size_t>(choice.random), seed);
  }
  const NpyMatrix matrix = row_embeddings(rows, embeddings);
  ThreadPool pool(embeddings.threads > 0 ? embeddings.threads : usable_processors());
  return nuggets::central_rows({.values = matrix.values, .width = matrix.columns}, static_cast<size_t>(choice.kmeans),
                               seed, pool);
}

void TaskChoice::add_to(CLI::App& command) {
  constexpr int64_t kMost = 1'000'000;
  auto* by_kmeans =
      command
          .add_option("--kmeans", kmeans,
                      "So many tasks, each the nearest to a centroid of k-means over the rows' embeddings")
          ->transform(whole_number(1, kMost))
          ->default_str("none");
  command.add_option("--random", random, "So many tasks, drawn at random")
      ->transform(whole_number(1, kMost))
      ->default_str("none")
      ->excludes(by_kmeans);
}

void EmbeddingOptions::add_to(CLI::App& command) {
  auto* by_model = command.add_option("--embedding-model", model, "The model whose embeddings say what rows are like")
                       ->capture_default_str()
                       ->check(not_empty());
  command
      .add_option("--embeddings", file,
                  "A .npy file with a row of numbers for each row that can be used, in place of a model's")
      ->excludes(by_model)
      ->check(not_empty());
}

void add_prospect_tasks(CLI::App& prospect) {
  struct Options {
    DataOptions data;
    TaskChoice choice;
    EmbeddingOptions embeddings;
    std::string output;
    uint64_t seed = 1;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command = *prospect.add_subcommand("tasks", "Choose the predefined tasks out of rows");
  options->data.add_to(command);
  options->choice.add_to(command);
  options->embeddings.add_to(command);
  command.add_option("-o,--output", options->output, "Where the chosen rows go, in the form of --data")
      ->default_str("standard output")
      ->check(not_empty());
  command.add_option("--seed", options->seed, "Of what is drawn")->transform(seed_number())->capture_default_str();
  command.add_option("--threads", options->embeddings.threads, "0: the processors that this process may use")
      ->transform(whole_number(0, 1024))
      ->capture_default_str();
  command.callback([options] {
    if (options->choice.kmeans == 0 && options->choice.random == 0) {
      throw UsageError("how many tasks? Give --kmeans N (over embeddings) or --random N");
    }
    const nuggets::RowFile rows = read_rows_aloud(options->data);
    const nuggets::RowLayout layout = check_output(options->output, options->data.path, rows);
    const std::vector<size_t> chosen = choose_tasks(rows, options->choice, options->embeddings, options->seed);
    std::string content;
    nuggets::RowWriter writer(rows, layout, [&](std::string_view part) { content += part; });
    for (const size_t index : chosen) writer.write(rows.rows()[index], Json::object());
    writer.end();
    replace_file(options->output, content);
    if (!options->output.empty() && options->output != "-") {
      log::tell(spdlog::level::info, fmt::format("{} tasks: {}", chosen.size(), options->output));
    }
  });
}

}  // namespace caravel::cli
