#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "caravel/engine.h"
#include "cli/batch_run.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "cli/output_file.h"
#include "cli/request_row.h"
#include "text/prompt_components.h"

namespace caravel::cli {
namespace {

struct GenerateOptions {
  EngineConfig engine;
  SamplingFlags sampling;
  std::optional<std::string> prompt;
  std::string prompt_file;
  std::string components;
  text::PromptMode prompting;
  std::string input;
  std::string output;
  bool chat = false;
  bool json = false;
  bool no_special = false;
  bool no_bos = false;
};

std::string read_standard_input() {
  if (::isatty(STDIN_FILENO) == 1) {
    throw InvalidArgument(
        "no prompt: give --prompt TEXT, --prompt-file F, --components F, --input F.jsonl, or text on "
        "standard input");
  }
  return {std::istreambuf_iterator<char>(std::cin), {}};
}

Request make_request(const GenerateOptions& options, const Engine& engine) {
  const SamplingParams sampling = options.sampling.resolve(engine.generation_defaults(), options.chat);
  if (!options.components.empty()) {
    const text::PromptComponents components =
        text::parse_prompt_components(read_file(options.components), options.components);
    if (options.chat) {
      return chat_request(engine, text::render_prompt_messages(components, options.prompting), sampling);
    }
    Request request;
    request.prompt = text::render_prompt(components, options.prompting);
    request.sampling = sampling;
    return request;
  }
  const std::string prompt = options.prompt                ? *options.prompt
                             : options.prompt_file.empty() ? read_standard_input()
                                                           : read_file(options.prompt_file);
  if (options.chat) {
    return chat_request(engine, nlohmann::ordered_json::array({{{"role", "user"}, {"content", prompt}}}), sampling);
  }
  Request request;
  request.prompt = prompt;
  request.parse_special = !options.no_special;
  request.add_special_tokens = !options.no_bos;
  request.sampling = sampling;
  return request;
}

/// Text as it comes where there is one answer; several come whole, each under its number.
void print_plain(RequestHandle& handle, const SamplingParams& sampling, const InterruptGuard& guard) {
  OutputFile out("-");
  const bool stream = sampling.n == 1 && !sampling.use_beam_search;
  bool ended = false;
  while (!ended) {
    if (guard.interrupted()) handle.cancel();
    bool timed_out = false;
    const std::optional<Delta> delta = handle.next_until(Clock::now() + std::chrono::milliseconds(100), &timed_out);
    if (delta && stream) out.write(delta->text);
    ended = !delta && !timed_out;
  }
  const Result& result = handle.result();
  if (stream) {
    if (result.completions.empty() || !result.completions[0].text.ends_with('\n')) out.write("\n");
    return;
  }
  for (const Completion& completion : result.completions) {
    out.write(fmt::format("[{}]{}\n", completion.index, completion.text));
  }
}

void run_one(const GenerateOptions& options, Engine& engine, int& exit_code) {
  const InterruptGuard guard;
  Request request = make_request(options, engine);
  const SamplingParams sampling = request.sampling;
  const auto handle = engine.submit(std::move(request));
  if (options.json) {
    bool ended = false;
    while (!ended) {
      if (guard.interrupted()) handle->cancel();
      bool timed_out = false;
      ended = !handle->next_until(Clock::now() + std::chrono::milliseconds(100), &timed_out) && !timed_out;
    }
    OutputFile out("-");
    for (const Completion& completion : handle->result().completions) {
      out.write(to_line(completion_json(handle->result(), completion, engine)) + "\n");
    }
  } else {
    print_plain(*handle, sampling, guard);
  }
  if (!handle->result().error.empty()) throw fail<Error>("{}", handle->result().error);
  if (guard.interrupted()) exit_code = kInterruptedExitCode;
}

}  // namespace

void add_generate(CLI::App& program, int& exit_code) {
  auto options = std::make_shared<GenerateOptions>();
  CLI::App& command = *program.add_subcommand("generate", "Continue a prompt, or answer a file of requests");
  auto* prompt = command.add_option("-p,--prompt", options->prompt, "The text to continue; default: standard input");
  auto* file = command.add_option("--prompt-file", options->prompt_file, "The same, from a file")->excludes(prompt);
  auto* components =
      command.add_option("--components", options->components, "A prompt as named components, YAML or JSON")
          ->excludes(prompt)
          ->excludes(file);
  command.add_option("--shots", options->prompting.shots, "Examples of --components to use; default: all")
      ->needs(components);
  command.add_flag("--cot", options->prompting.chain_of_thought, "Show the examples' reasoning, and ask for it")
      ->needs(components);
  auto* input =
      command.add_option("-i,--input", options->input, "Requests in OpenAI's field names, one JSON object a line")
          ->excludes(prompt)
          ->excludes(file)
          ->excludes(components);
  command.add_option("-o,--output", options->output, "Results, one JSON object a line; goes on where it was stopped")
      ->needs(input);
  command.add_flag("--chat", options->chat, "The prompt is a user's message; the model's chat template frames it");
  command.add_flag("--json", options->json, "Print one JSON object a result");
  command.add_flag("--no-special", options->no_special, "Special tokens written in the prompt are plain text");
  command.add_flag("--no-bos", options->no_bos, "No beginning-of-sequence token before the prompt");
  options->sampling.add_to(command);
  add_engine_flags(command, options->engine);
  command.callback([options, &exit_code] {
    if (options->input.empty()) {
      const auto engine = Engine::open(options->engine);
      run_one(*options, *engine, exit_code);
      return;
    }
    // The files are looked at before the model is loaded: what is wrong with them should not take seconds to say.
    BatchRun batch(options->input, options->output);
    const auto engine = Engine::open(options->engine);
    const SamplingParams defaults = options->sampling.resolve(engine->generation_defaults(), options->chat);
    if (!batch.run(*engine, defaults, options->engine.max_num_seqs)) exit_code = kInterruptedExitCode;
  });
}

}  // namespace caravel::cli
