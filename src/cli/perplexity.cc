#include "cli/perplexity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "caravel/engine.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "cli/open_engine.h"
#include "cli/output_file.h"
#include "cli/progress.h"
#include "cli/run_in_order.h"
#include "cli/text_windows.h"
#include "cli/usage.h"
#include "cli/utf8_warning.h"
#include "fields/json.h"

namespace caravel::cli {

void Perplexity::add(std::span<const float> logprobs) {
  for (const double logprob : logprobs) {
    sum_ -= logprob;
    squares_ += logprob * logprob;
  }
  tokens_ += static_cast<int64_t>(logprobs.size());
}

double Perplexity::mean_nll() const { return sum_ / static_cast<double>(tokens_); }

double Perplexity::value() const { return std::exp(mean_nll()); }

double Perplexity::standard_error() const {
  const double variance = squares_ / static_cast<double>(tokens_) - mean_nll() * mean_nll();
  // Rounding may leave less than nothing where all tokens are equally likely.
  return value() * std::sqrt(std::max(variance, 0.0) / static_cast<double>(tokens_ - 1));
}

namespace {

constexpr const char* kLlamaCpp = "llama.cpp";
constexpr const char* kTransformers = "transformers";
constexpr int kLlamaCppCtxSize = 512;
constexpr int kTransformersStride = 512;

struct PerplexityOptions {
  EngineConfig engine;
  std::string file;
  std::string windows = kLlamaCpp;
  int ctx_size = 0;  // 0: kLlamaCppCtxSize, or the engine's context
  int stride = 0;    // 0: windows side by side, or kTransformersStride
  int chunks = 0;    // 0: all
  bool json = false;

  std::string file_name() const { return file == "-" ? "standard input" : file; }
  bool as_llama_cpp() const { return windows == kLlamaCpp; }
};

/// The windows' size and stride, with all defaults filled in.
struct Shape {
  size_t size = 0;
  size_t stride = 0;  // 0: side by side
};

/// max_model_len: the engine's.
Shape shape_of(const PerplexityOptions& options, int max_model_len) {
  const int given = options.as_llama_cpp() && options.ctx_size == 0 ? kLlamaCppCtxSize : options.ctx_size;
  const auto ctx_size = static_cast<size_t>(given == 0 ? max_model_len : given);
  const auto stride = static_cast<size_t>(options.stride);
  if (stride > ctx_size) {
    throw fail<UsageError>("--stride {}: is more than a window's {} tokens, so that some would be left out", stride,
                           ctx_size);
  }
  if (!options.as_llama_cpp()) {
    return {.size = ctx_size, .stride = stride == 0 ? std::min<size_t>(kTransformersStride, ctx_size) : stride};
  }
  return {.size = stride == 0 ? ctx_size : llama_cpp_strided_size(ctx_size, stride), .stride = stride};
}

/// The engine's configuration, whose context holds a window of the size that was asked for.
EngineConfig engine_config(const PerplexityOptions& options) {
  EngineConfig config = options.engine;
  if (!options.as_llama_cpp() && options.ctx_size == 0) return config;
  const auto size = static_cast<int>(shape_of(options, 0).size);
  if (config.max_model_len == 0) config.max_model_len = size;
  if (config.max_model_len < size) {
    throw fail<UsageError>("windows of {} tokens are longer than --max-model-len {}: give a smaller --ctx-size", size,
                           config.max_model_len);
  }
  return config;
}

/// An error of a context that nobody gave is told of the windows.
std::unique_ptr<Engine> open_for(const PerplexityOptions& options, const EngineConfig& config) {
  if (options.engine.max_model_len != 0 || config.max_model_len == 0) return open_engine(config);
  const std::string windows = fmt::format("windows of {} tokens", config.max_model_len);
  return open_engine_for(options.ctx_size == 0 ? windows + " (--ctx-size gives others)"
                                               : fmt::format("--ctx-size {}: {}", options.ctx_size, windows),
                         config);
}

std::string read_text(const PerplexityOptions& options) {
  std::string text = read_input(options.file);
  warn_of_broken_utf8(text, options.file_name());
  // llama.cpp's --file leaves out the last line's end.
  if (options.as_llama_cpp() && text.ends_with('\n')) text.pop_back();
  return text;
}

std::vector<TextWindow> windows_of(const PerplexityOptions& options, const Shape& shape, size_t tokens) {
  std::vector<TextWindow> windows;
  if (!options.as_llama_cpp()) {
    windows = sliding_windows(tokens, shape.size, shape.stride);
  } else if (shape.stride == 0) {
    windows = llama_cpp_windows(tokens, shape.size);
  } else {
    windows = llama_cpp_strided_windows(tokens, shape.size, shape.stride);
  }
  if (windows.empty()) {
    throw fail<InvalidArgument>(
        "{}: has {} tokens, too few for a window of {}{}", options.file_name(), tokens, shape.size,
        options.as_llama_cpp() ? ": give a longer text, a smaller --ctx-size, or --windows transformers"
                               : ": give a longer text");
  }
  if (options.chunks > 0) windows.resize(std::min(windows.size(), static_cast<size_t>(options.chunks)));
  return windows;
}

/// What was counted, and of how much.
struct Outcome {
  Perplexity perplexity;
  Shape shape;
  size_t text_tokens = 0;
  size_t windows = 0;
  size_t done = 0;  // of the windows: all, unless it was interrupted
};

Outcome measure(const PerplexityOptions& options, Engine& engine, const std::string& text) {
  const ModelInfo& info = engine.model();
  const Tokenizer& tokenizer = engine.tokenizer();
  Outcome outcome{.shape = shape_of(options, info.max_model_len)};
  const std::vector<int32_t> tokens = tokenizer.encode(text, {.parse_special = !options.as_llama_cpp()});
  const std::vector<TextWindow> windows = windows_of(options, outcome.shape, tokens.size());
  outcome.text_tokens = tokens.size();
  outcome.windows = windows.size();
  // llama-perplexity puts the beginning of sequence in the place of each window's first token, but not with a stride.
  const bool begins = options.as_llama_cpp() && outcome.shape.stride == 0 && tokenizer.adds_bos();

  const auto send = [&](size_t i) {
    const TextWindow& window = windows[i];
    const auto at = [&](size_t index) { return tokens.begin() + static_cast<ptrdiff_t>(index); };
    ScoreRequest::Item item{.prefix = {at(window.begin), at(window.scored)},
                            .continuations = {{at(window.scored), at(window.end)}}};
    if (begins) item.prefix.front() = *tokenizer.bos_id();
    return engine.score({.items = {std::move(item)}});
  };
  const InterruptGuard guard;
  Progress progress(guard, static_cast<int64_t>(windows.size()), 0);
  int64_t computed = 0;
  const auto each = [&](size_t i, const Result& result) {
    outcome.perplexity.add(result.scores.front().front().token_logprobs);
    computed += static_cast<int64_t>(windows[i].size());
    progress.update(static_cast<int64_t>(i) + 1, computed);
  };
  // Several fill the steps of the engine; no more than the KV pool holds, or they would drive each other out.
  constexpr int64_t kMostAhead = 16;
  const int64_t fitting = info.kv_tokens / static_cast<int64_t>(outcome.shape.size);
  const auto ahead = static_cast<size_t>(std::clamp<int64_t>(fitting, 1, kMostAhead));
  outcome.done = run_in_order(windows.size(), ahead, guard, send, each);
  return outcome;
}

Json outcome_json(const PerplexityOptions& options, const Outcome& outcome, const ModelInfo& info) {
  const Perplexity& perplexity = outcome.perplexity;
  return {{"model", info.name},
          {"perplexity", perplexity.value()},
          {"standard_error", perplexity.standard_error()},
          {"mean_nll", perplexity.mean_nll()},
          {"tokens_predicted", perplexity.tokens()},
          {"tokens", outcome.text_tokens},
          {"windows", options.windows},
          {"window_size", outcome.shape.size},
          {"stride", outcome.shape.stride == 0 ? Json() : Json(outcome.shape.stride)},
          {"windows_done", outcome.done},
          {"windows_total", outcome.windows}};
}

std::string outcome_text(const PerplexityOptions& options, const Outcome& outcome) {
  const Shape& shape = outcome.shape;
  const bool whole = outcome.done == outcome.windows;
  return fmt::format(
      "{}: PPL = {:.4f} +/- {:.5f}\n{} of the text's {} tokens predicted, in {} window{} of {}{}, as {} counts them\n",
      whole ? "Final estimate" : fmt::format("Estimate after {} of {} windows", outcome.done, outcome.windows),
      outcome.perplexity.value(), outcome.perplexity.standard_error(), outcome.perplexity.tokens(), outcome.text_tokens,
      outcome.done, outcome.done == 1 ? "" : "s", shape.size,
      shape.stride == 0 ? "" : fmt::format(", {} apart", shape.stride), options.windows);
}

}  // namespace

void add_perplexity(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<PerplexityOptions>();
  CLI::App& command = *program.add_subcommand("perplexity", "How well the model predicts a text");
  constexpr int64_t kMost = std::numeric_limits<int>::max();
  command.add_option("-f,--file", options->file, "The text; -: standard input")->required()->check(not_empty());
  command
      .add_option("--windows", options->windows,
                  "How the text is cut. llama.cpp: side by side, the second half of each is predicted, as "
                  "llama-perplexity does; transformers: its documentation's sliding window")
      ->transform(one_of({kLlamaCpp, kTransformers}))
      ->capture_default_str();
  command.add_option("-c,--ctx-size", options->ctx_size, "Tokens of a window")
      ->transform(whole_number(3, 1 << 30))
      ->default_str("512 for llama.cpp, the engine's context for transformers");
  command
      .add_option("--stride,--ppl-stride", options->stride,
                  "Tokens from one window's beginning to the next one's, which are what is predicted in each; for "
                  "llama.cpp as its --ppl-stride")
      ->transform(whole_number(1, 1 << 30))
      ->default_str("none for llama.cpp, 512 for transformers");
  command.add_option("--chunks", options->chunks, "The text's first windows alone, so many; default: all")
      ->transform(whole_number(1, kMost));
  command.add_flag("--json", options->json, "One JSON object");
  add_engine_flags(command, options->engine);
  command.callback([options, &exit_code] {
    const EngineConfig config = engine_config(*options);
    const std::string text = read_text(*options);
    const auto engine = open_for(*options, config);
    const Outcome outcome = measure(*options, *engine, text);
    if (outcome.done < outcome.windows) exit_code = kInterruptedExitCode;
    if (outcome.done == 0) {
      log::tell(
          spdlog::level::err,
          fmt::format("interrupted before the first of {} windows was done: there is no estimate", outcome.windows));
      return;
    }
    OutputFile("-").write(options->json ? to_text(outcome_json(*options, outcome, engine->model())) + "\n"
                                        : outcome_text(*options, outcome));
  });
}

}  // namespace caravel::cli
