#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "caravel/engine.h"
#include "cli/batch_run.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "cli/open_engine.h"
#include "cli/output_file.h"
#include "cli/request_row.h"
#include "cli/usage.h"
#include "cli/utf8_warning.h"
#include "fields/sampling.h"
#include "text/prompt_components.h"

namespace caravel::cli {
namespace {

struct GenerateOptions {
  EngineConfig engine;
  SamplingFlags sampling;
  ChatFlags chat_flags;
  std::optional<std::string> prompt;
  std::string prompt_file;
  std::string components;
  std::string system;
  text::PromptMode prompting;
  BatchOptions batch;
  bool chat = false;
  bool json = false;
  bool no_special = false;
  bool no_bos = false;

  Surface surface() const { return chat ? Surface::kTerminal : Surface::kFlags; }
};

/// What is to be answered, as it was given.
struct GivenPrompt {
  std::string text;
  std::optional<text::PromptComponents> components;
};

std::string read_piped_prompt() {
  if (::isatty(STDIN_FILENO) == 1) {
    throw UsageError(
        "no prompt: give --prompt TEXT, --prompt-file F, --components F, --input F.jsonl, or text on "
        "standard input");
  }
  std::string prompt = read_standard_input();
  if (prompt.empty()) throw UsageError("standard input is empty, and there is no --prompt TEXT");
  warn_of_broken_utf8(prompt, "standard input");
  return prompt;
}

GivenPrompt read_prompt(const GenerateOptions& options) {
  if (!options.components.empty()) {
    return {.components = text::parse_prompt_components(read_file(options.components), options.components)};
  }
  if (options.prompt) return {.text = *options.prompt};
  if (options.prompt_file.empty()) return {.text = read_piped_prompt()};
  GivenPrompt given{.text = read_file(options.prompt_file)};
  warn_of_broken_utf8(given.text, options.prompt_file);
  return given;
}

Submission make_submission(const GenerateOptions& options, const GivenPrompt& given, const Engine& engine) {
  Request request{.sampling = options.sampling.params(), .fallback = default_sampling(options.surface())};
  const std::optional<text::PromptComponents>& components = given.components;
  if (options.chat) {
    chat::Conversation conversation;
    conversation.messages = components ? text::render_prompt_messages(*components, options.prompting)
                                       : Json::array({{{"role", "user"}, {"content", given.text}}});
    if (!options.system.empty()) {
      const Json system = {{"role", "system"}, {"content", options.system}};
      conversation.messages.insert(conversation.messages.begin(), system);
    }
    return chat_submission(make_renderer(engine), conversation, std::move(request), whole_context(engine.model()));
  }
  request.prompt = components ? text::render_prompt(*components, options.prompting) : given.text;
  if (!components) {
    request.parse_special = !options.no_special;
    request.add_special_tokens = !options.no_bos;
  }
  return {.request = std::move(request)};
}

/// Until the end, or a while after ctrl-C. each: called with every delta.
void drain(RequestHandle& handle, const InterruptGuard& guard, const std::function<void(const Delta&)>& each) {
  while (true) {
    const Next next = handle.next(Clock::now() + std::chrono::milliseconds(100));
    if (next.ended()) return;
    if (guard.interrupted()) handle.cancel();
    if (next) each(*next);
  }
}

/// Text as it comes where one answer is drawn; of several, and of a beam search, whole, several each under its number.
void print_plain(RequestHandle& handle, bool stream, const InterruptGuard& guard) {
  OutputFile out("-");
  drain(handle, guard, [&](const Delta& delta) {
    if (stream) out.write(delta.text);
  });
  const Result& result = handle.result();
  if (stream) {
    if (result.completions.empty() || !result.completions[0].text.ends_with('\n')) out.write("\n");
    return;
  }
  const bool is_one = result.completions.size() == 1;
  for (const Completion& completion : result.completions) {
    out.write(fmt::format("{}{}\n", is_one ? "" : fmt::format("[{}]", completion.index), completion.text));
  }
}

void print_json(RequestHandle& handle, const GenerateOptions& options, const Tokenizer& tokenizer,
                const InterruptGuard& guard) {
  const ResultFields fields = options.batch.result_fields();
  drain(handle, guard, [](const Delta&) {});
  OutputFile out("-");
  for (const Completion& completion : handle.result().completions) {
    out.write(to_text(fields.pick(completion_json(handle.result(), completion, options.chat, tokenizer))) + "\n");
  }
}

/// Says that an answer ended though nobody asked for that, and how to get more; where its form was asked for, it has
/// not got it.
void tell_cut(const SamplingParams& given, const Result& result) {
  if (given.max_tokens && given.grammar.kind == GrammarSpec::Kind::kNone) return;
  for (const Completion& completion : result.completions) {
    if (completion.finish_reason != FinishReason::kLength) continue;
    if (completion.stop_reason == kRepetitionDetected) {
      log::tell(spdlog::level::warn, "the answer went round in a circle and was ended; --repetition-window 0 lets it");
    } else {
      log::tell(spdlog::level::warn, fmt::format("the answer was cut after {} tokens; --max-tokens N makes it longer",
                                                 completion.token_ids.size()));
    }
    return;
  }
}

void run_one(const GenerateOptions& options, const GivenPrompt& given, Engine& engine, int& exit_code) {
  const InterruptGuard guard;
  SamplingParams sampling;
  std::unique_ptr<RequestHandle> handle;
  try {
    const InterruptScope scope(guard.flag(), /*gives_way=*/false);
    Submission submission = make_submission(options, given, engine);
    sampling = submission.request.sampling;
    handle = std::move(submission).submit(engine);
  } catch (const Interrupted&) {
    exit_code = kInterruptedExitCode;
    return;
  }
  const bool one_answer = sampling.n.value_or(1) == 1 && !sampling.use_beam_search;
  if (!options.json && (sampling.logprobs || sampling.prompt_logprobs)) {
    log::warn("log-probabilities are shown with --json alone");
  }
  if (sampling.use_beam_search && sampling.temperature.value_or(0) > 0) {
    log::warn("--temperature does nothing with --beams, which draws nothing");
  }
  if (options.json) {
    print_json(*handle, options, engine.tokenizer(), guard);
  } else {
    print_plain(*handle, one_answer, guard);
  }
  if (!handle->result().error.empty()) throw fail<Error>("{}", handle->result().error);
  tell_cut(sampling, handle->result());
  if (guard.interrupted()) exit_code = kInterruptedExitCode;
}

/// What the command line calls the model; where that is a path, what the model calls itself.
std::string asked_name(const EngineConfig& config, const Engine& engine) {
  std::error_code error;
  if (std::filesystem::exists(config.model, error)) return engine.model().name;
  return config.model.empty() ? "smollm2" : config.model;
}

/// A file of requests. Gives the exit code; what became of the rows is told last.
int run_batch(const GenerateOptions& options) {
  const std::string& output = options.batch.output;
  std::error_code error;
  const bool is_file =
      output != "-" && (!std::filesystem::exists(output, error) || std::filesystem::is_regular_file(output, error));
  if (options.batch.ordered && !is_file) {
    throw fail<UsageError>(
        "--ordered: the --output, {}, is no file, and what is written there cannot be put in "
        "order; give a file",
        output);
  }
  // The files are looked at before the model is loaded: what is wrong with them should not take seconds to say.
  BatchRun batch(options.batch);
  const auto engine = open_engine(options.chat_flags.load(options.engine));
  const SamplingParams given = options.sampling.params();
  const std::unique_ptr<RowAnswerer> answerer =
      batch.form() == BatchForm::kOpenAi ? answer_openai_rows(*engine, given, asked_name(options.engine, *engine))
                                         : answer_rows(*engine, given, options.batch.result_fields());
  const BatchOutcome outcome = batch.run(*answerer, engine->model(), given);
  for (const std::string& line : summary(outcome, batch.has_file() ? output : "")) {
    log::tell(outcome.failed > 0 ? spdlog::level::err : spdlog::level::info, line);
  }
  return outcome.exit_code();
}

}  // namespace

void add_generate(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<GenerateOptions>();
  CLI::App& command = *program.add_subcommand("generate", "Continue a prompt, or answer a file of requests");
  auto* prompt = command.add_option("-p,--prompt", options->prompt, "The text to continue; default: standard input");
  auto* file = command.add_option("--prompt-file", options->prompt_file, "The same, from a file")
                   ->excludes(prompt)
                   ->check(not_empty());
  auto* components =
      command.add_option("--components", options->components, "A prompt as named components, YAML or JSON")
          ->excludes(prompt)
          ->excludes(file)
          ->check(not_empty());
  command.add_option("--shots", options->prompting.shots, "Examples of --components to use; default: all")
      ->needs(components);
  command.add_flag("--cot", options->prompting.chain_of_thought, "Show the examples' reasoning, and ask for it")
      ->needs(components);
  BatchOptions& batch = options->batch;
  auto* input = command
                    .add_option("-i,--input", batch.input,
                                "Requests in OpenAI's field names, one JSON object a line, or OpenAI's batch form "
                                "(docs/batch.md); -: standard input")
                    ->excludes(prompt)
                    ->excludes(file)
                    ->excludes(components)
                    ->check(not_empty());
  auto* output = command
                     .add_option("-o,--output", batch.output,
                                 "Results, one JSON object a line, in the order they finish; goes on where it was "
                                 "stopped, and runs again what was changed")
                     ->needs(input)
                     ->check(not_empty());
  command.add_flag("--retry-failed", batch.retry_failed, "Run again the rows whose result in --output is an error")
      ->needs(output);
  command
      .add_flag("--ordered", batch.ordered,
                "When all rows have run, puts --output in the order of --input, without what depends on when they ran: "
                "the same bytes whether it was stopped or not")
      ->needs(output);
  auto* fields = command
                     .add_option("--fields", batch.fields,
                                 "Of the results of --input or --json, with commas between; default: all but token_ids")
                     ->allow_extra_args(false)
                     ->delimiter(',')
                     ->transform(one_of(ResultFields::names()));
  auto* chat =
      command.add_flag("--chat", options->chat, "The prompt is a user's message; the model's chat template frames it")
          ->excludes(input);  // whose rows say themselves what they are
  command.add_option("--system", options->system, "System prompt")
      ->needs(chat)
      ->excludes(components);  // which may have one
  command.add_flag("--json", options->json, "Print one JSON object a result");
  command.add_flag("--no-special", options->no_special, "Special tokens written in the prompt are plain text");
  command.add_flag("--no-bos", options->no_bos, "No beginning-of-sequence token before the prompt");
  options->sampling.add_to(command, Surface::kFlags);
  options->chat_flags.add_to(command, options->engine);
  add_engine_flags(command, options->engine);
  command.callback([options, fields, &exit_code] {
    if (options->batch.input.empty()) {
      if (fields->count() > 0 && !options->json) {
        throw UsageError("--fields: picks from the results of --input or --json; give one of them");
      }
      const GivenPrompt given = read_prompt(*options);
      const auto engine = open_engine(options->chat_flags.load(options->engine));
      run_one(*options, given, *engine, exit_code);
      return;
    }
    exit_code = run_batch(*options);
  });
}

}  // namespace caravel::cli
