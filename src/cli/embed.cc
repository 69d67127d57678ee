#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/float_vector.h"
#include "base/log.h"
#include "base/npy.h"
#include "caravel/engine.h"
#include "chat/prompt.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "cli/open_engine.h"
#include "cli/output_file.h"
#include "cli/progress.h"
#include "cli/run_in_order.h"
#include "cli/usage.h"
#include "cli/utf8_warning.h"
#include "fields/json.h"

namespace caravel::cli {
namespace {

constexpr const char* kJsonl = "jsonl";
constexpr const char* kNpy = "npy";

struct EmbedOptions {
  EngineConfig engine;
  std::string input = "-";
  std::string output;
  std::string format;  // empty: by the output's name
  bool as_is = false;
  int truncate = 0;  // tokens; -1: as many as fit, 0: a text that is longer is refused

  std::string input_name() const { return input == "-" ? "standard input" : input; }
  bool to_stdout() const { return output.empty() || output == "-"; }
  bool as_npy() const { return format.empty() ? output.ends_with(".npy") : format == kNpy; }
};

std::string read_texts(const EmbedOptions& options) {
  if (options.input == "-" && ::isatty(STDIN_FILENO) == 1) {
    throw UsageError("no texts: give --input FILE, or texts on standard input");
  }
  return read_input(options.input);
}

/// One text a line; the last line need not end.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t length = text.find('\n');
    std::string_view line = text.substr(0, length);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(length == std::string_view::npos ? text.size() : length + 1);
  }
  return lines;
}

/// Throws InvalidArgument for the first line that has no embedding, before any is computed.
std::vector<std::vector<int32_t>> encode_lines(const EmbedOptions& options, std::string_view text,
                                               const Engine& engine) {
  std::vector<std::vector<int32_t>> prompts;
  const auto most = static_cast<size_t>(engine.model().max_model_len);
  for (const std::string_view line : lines_of(text)) {
    const size_t number = prompts.size() + 1;
    if (line.empty()) {
      throw fail<InvalidArgument>(
          "{}:{}: is empty; each line is a text: take it out (`grep .` leaves out all that are)", options.input_name(),
          number);
    }
    if (const size_t least = engine.tokenizer().least_tokens(line); least > most && options.truncate == 0) {
      throw fail<InvalidArgument>(
          "{}:{}: has at least {} tokens; the context is {}: shorten it, or raise "
          "--max-model-len",
          options.input, number, least, most);
    }
    chat::Prompt prompt = chat::text_prompt(std::string(line), engine.tokenizer(), /*add_special_tokens=*/true);
    if (options.truncate != 0) {
      const size_t kept = options.truncate < 0 ? most : static_cast<size_t>(options.truncate);
      chat::cut(prompt, kept, engine.model(), engine.tokenizer());
    }
    if (prompt.tokens.empty()) throw fail<InvalidArgument>("{}:{}: has no tokens", options.input_name(), number);
    if (prompt.tokens.size() > most) {
      throw fail<InvalidArgument>(
          "{}:{}: has {} tokens; the context is {}: shorten it, raise --max-model-len, or cut such texts by "
          "--truncate-prompt-tokens -1",
          options.input_name(), number, prompt.tokens.size(), most);
    }
    prompts.push_back(std::move(prompt.tokens));
  }
  if (prompts.empty()) throw fail<InvalidArgument>("{}: is empty: there is nothing to embed", options.input_name());
  return prompts;
}

/// Other programs' matrices, whose names ask for something else than is written.
void refuse_other_endings(const EmbedOptions& options) {
  if (!options.format.empty()) return;
  for (const char* const ending : {".csv", ".tsv", ".npz", ".parquet", ".pt", ".safetensors"}) {
    if (!options.output.ends_with(ending)) continue;
    throw fail<UsageError>(
        "--output {}: embeddings are written as .npy or .jsonl, not as {}; --format jsonl writes them "
        "under that name all the same",
        options.output, ending);
  }
}

/// Rows of requests look like texts: said once, since some do mean that.
void tell_json(const EmbedOptions& options, std::string_view text) {
  const std::vector<std::string_view> lines = lines_of(text.substr(0, text.find('\n')));
  if (lines.empty() || !lines.front().starts_with('{')) return;
  try {
    if (!parse_json(lines.front()).is_object()) return;
  } catch (const FormatError&) {
    return;
  }
  log::tell(
      spdlog::level::warn,
      fmt::format("{}: its lines look like JSON; each is embedded as it stands, braces and names too. `jq -r .text` "
                  "makes plain lines of {{\"text\": ...}}",
                  options.input_name()));
}

/// Gives the exit code.
int run(const EmbedOptions& options) {
  if (options.as_npy() && options.to_stdout() && ::isatty(STDOUT_FILENO) == 1) {
    throw UsageError("a .npy file is no text for a terminal: give --output FILE.npy");
  }
  refuse_other_endings(options);
  const std::string text = read_texts(options);
  std::error_code unknown;
  if (std::filesystem::equivalent(options.input, options.output, unknown)) {
    throw fail<InvalidArgument>("{}: the --output is the --input; give another file", options.output);
  }
  tell_json(options, text);
  warn_of_broken_utf8(text, options.input_name());
  const bool holds_others =
      holds_own(options.output, {"\x93NUMPY", R"({"index":0,"embedding":[)"}, "embeddings of an earlier run");
  // A .npy file is whole or not there: it is written at the end, beside the one that it replaces. Lines are written as
  // they come; where there are others they stay until the new ones are whole.
  std::optional<OutputFile> output;
  std::optional<FileBeside> replacement;
  if (!options.as_npy() || options.to_stdout()) {
    output.emplace(options.output);
    if (holds_others) replacement.emplace(options.output);
  } else {
    check_replaceable(options.output);
  }
  const auto engine = open_engine(options.engine);
  std::vector<std::vector<int32_t>> prompts = encode_lines(options, text, *engine);

  const size_t count = prompts.size();
  const auto send = [&](size_t i) { return engine->embed({.tokens = std::move(prompts[i])}); };
  const InterruptGuard guard;
  std::optional<Progress> progress;
  if (!options.to_stdout()) progress.emplace(guard, static_cast<int64_t>(count), 0);
  int64_t computed = 0;  // tokens
  std::string npy;       // f32, of a .npy file
  if (options.as_npy()) npy = npy_header(count, static_cast<size_t>(engine->model().hidden_size));
  const auto each = [&](size_t i, const Result& result) {
    const std::vector<float> values = options.as_is ? result.embedding : unit_vector(result.embedding);
    if (options.as_npy()) {
      npy += little_endian(values);
    } else {
      const Json usage = {{"prompt_tokens", result.usage.prompt_tokens}};
      const std::string line = to_text({{"index", i}, {"embedding", values}, {"usage", usage}}) + "\n";
      replacement ? replacement->write(line) : output->write(line);
    }
    computed += result.usage.prompt_tokens;
    if (progress) progress->update(static_cast<int64_t>(i) + 1, computed);
  };
  const size_t done = run_in_order(count, 2 * static_cast<size_t>(engine->model().max_num_seqs), guard, send, each);
  progress.reset();  // its last line comes before what is told
  if (done < count) {
    log::tell(spdlog::level::err, options.as_npy()
                                      ? "interrupted: nothing was written; a .npy file is written whole, at the end"
                                      : fmt::format("interrupted after {} of {} texts{}", done, count,
                                                    replacement ? "; " + options.output + " is as it was" : ""));
  } else if (options.as_npy() && output) {
    output->write(npy);
  } else if (options.as_npy()) {
    replace_file(options.output, npy);
  } else {
    output->check_in_place();
    if (replacement) replacement->take_place();
  }
  return done == count ? 0 : kInterruptedExitCode;
}

}  // namespace

void add_embed(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<EmbedOptions>();
  CLI::App& command = *program.add_subcommand(
      "embed", "Embeddings of texts: by an encoder's files, of other models the mean of their tokens' last states");
  command.add_option("-i,--input", options->input, "Plain texts, one a line (not JSON); -: standard input")
      ->check(not_empty())
      ->capture_default_str();
  command.add_option("-o,--output", options->output, "Embeddings, in the texts' order; default: standard output")
      ->check(not_empty());
  command
      .add_option("--format", options->format,
                  "jsonl: one {\"index\", \"embedding\", \"usage\"} a line; npy: a matrix of f32, a row a text")
      ->transform(one_of({kJsonl, kNpy}))
      ->default_str("npy where --output ends in .npy, else jsonl");
  command.add_flag("--no-normalize", options->as_is, "As the model has them; they are scaled to length 1 otherwise");
  command
      .add_option(
          "--truncate-prompt-tokens", options->truncate,
          "Of longer texts the last so many tokens, of an encoder the first; -1: as many as the context holds; 0: "
          "longer texts are refused")
      ->transform(whole_number(-1, 1 << 30))
      ->capture_default_str();
  add_engine_flags(command, options->engine);
  command.callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace caravel::cli
