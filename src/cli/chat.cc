#include <editline/readline.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "base/clock.h"
#include "base/error.h"
#include "caravel/engine.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "cli/output_file.h"
#include "cli/request_row.h"
#include "cli/usage.h"
#include "fields/sampling.h"

namespace caravel::cli {
namespace {

constexpr const char* kHelp =
    "/reset          forget the conversation\n"
    "/system TEXT    forget it, and begin another with this system prompt (none: no text)\n"
    "/stats          what the last answer took, and what the engine holds\n"
    "/exit           leave (so does ctrl-D); ctrl-C stops an answer\n";

// What libedit hands over when a line is complete; a null line is ctrl-D.
struct EditedLine {
  bool complete = false;
  std::optional<std::string> text;
};
EditedLine edited;

void take_edited_line(char* line) {
  edited.complete = true;
  if (line == nullptr) return;
  edited.text = line;
  if (!edited.text->empty()) ::add_history(line);
  std::free(line);
  ::rl_callback_handler_remove();  // before it draws the next prompt
}

/// A line with editing and history. Ctrl-C gives up the line that was begun, as in a shell: an empty one.
std::optional<std::string> edit_line(const char* prompt, InterruptGuard& guard) {
  edited = {};
  guard.reset();
  ::rl_callback_handler_install(prompt, take_edited_line);
  while (!edited.complete) {
    std::array<struct pollfd, 2> inputs = {{{STDIN_FILENO, POLLIN, 0}, {guard.descriptor(), POLLIN, 0}}};
    if (::poll(inputs.data(), inputs.size(), -1) < 0 && errno != EINTR) return std::nullopt;
    if (guard.interrupted()) {
      ::rl_callback_handler_remove();
      fmt::print(stderr, "\n");
      return "";
    }
    if (inputs[0].revents != 0) ::rl_callback_read_char();
  }
  if (!edited.text) ::rl_callback_handler_remove();
  return edited.text;
}

/// The next line of the terminal or, as it is, of a pipe; nothing at the end.
std::optional<std::string> read_line(const char* prompt, InterruptGuard& guard) {
  if (::isatty(STDIN_FILENO) == 1) return edit_line(prompt, guard);
  std::string text;
  if (!std::getline(std::cin, text)) return std::nullopt;
  return text;
}

class Talk {
 public:
  Talk(Engine& engine, SamplingParams sampling, std::string system)
      : engine_(engine), renderer_(make_renderer(engine)), sampling_(std::move(sampling)) {
    reset(std::move(system));
  }

  void reset(std::string system) {
    system_ = std::move(system);
    conversation_ = {};
    if (!system_.empty()) conversation_.messages.push_back({{"role", "system"}, {"content", system_}});
  }
  const std::string& system() const { return system_; }

  /// Streams the answer. An answer that ctrl-C stopped stays in the conversation as far as it came.
  void ask(const std::string& text, const InterruptGuard& guard) {
    Json& messages = conversation_.messages;
    messages.push_back({{"role", "user"}, {"content", text}});
    const Clock::time_point start = Clock::now();
    std::unique_ptr<RequestHandle> handle;
    try {
      Request request{.sampling = sampling_, .fallback = default_sampling(Surface::kTerminal)};
      handle = chat_submission(renderer_, conversation_, std::move(request)).submit(engine_);
    } catch (const Error&) {
      messages.erase(messages.end() - 1);
      throw;
    }
    print(*handle, start, guard);
    const Result& result = handle->result();
    usage_ = result.usage;
    seconds_ = seconds_since(start);
    if (!result.error.empty()) throw fail<Error>("{}", result.error);
    const Completion& answer = result.completions.at(0);
    messages.push_back({{"role", "assistant"}, {"content", answer.content}});
    if (!answer.reasoning.empty()) messages.back()["reasoning_content"] = answer.reasoning;
  }

  void print_stats() const {
    const Stats stats = engine_.stats();
    const double decode_seconds = seconds_ - first_token_seconds_;
    fmt::print(stderr,
               "last answer: {} prompt tokens ({} cached), {} generated, {:.2f} s to the first, {:.1f} tokens/s\n"
               "engine: {} of {} KV blocks used, {} hold cached prefixes; {} tokens generated in {} steps\n",
               usage_.prompt_tokens, usage_.cached_tokens, usage_.completion_tokens, first_token_seconds_,
               decode_seconds > 0 ? std::max(0, usage_.completion_tokens - 1) / decode_seconds : 0.0, stats.used_blocks,
               stats.total_blocks, stats.cached_blocks, stats.generated_tokens, stats.steps);
  }

 private:
  void print(RequestHandle& handle, Clock::time_point start, const InterruptGuard& guard) {
    OutputFile out("-");
    first_token_seconds_ = 0;
    while (true) {
      const Next next = handle.next(Clock::now() + std::chrono::milliseconds(50));
      if (next.ended()) break;
      if (guard.interrupted()) handle.cancel();
      if (!next) continue;
      if (first_token_seconds_ == 0) first_token_seconds_ = seconds_since(start);
      out.write(next->text);
    }
    out.write("\n");
  }

  Engine& engine_;
  const chat::Renderer renderer_;
  const SamplingParams sampling_;
  std::string system_;
  chat::Conversation conversation_;
  Usage usage_;
  double first_token_seconds_ = 0;
  double seconds_ = 0;
};

void run_chat(Engine& engine, const SamplingParams& sampling, const std::string& system) {
  Talk talk(engine, sampling, system);
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  if (terminal) fmt::print(stderr, "{}. /help lists the commands.\n", engine.model().name);
  InterruptGuard guard;
  while (const std::optional<std::string> line = read_line("> ", guard)) {
    const size_t begin = line->find_first_not_of(" \t");
    if (begin == std::string::npos) continue;
    const std::string text = line->substr(begin);
    const std::string command = text.substr(0, text.find(' '));
    if (command == "/exit" || command == "/quit") return;
    if (command == "/reset") {
      talk.reset(talk.system());
    } else if (command == "/system") {
      const size_t argument = text.find_first_not_of(' ', command.size());
      talk.reset(argument == std::string::npos ? "" : text.substr(argument));
    } else if (command == "/stats") {
      talk.print_stats();
    } else if (command.starts_with('/')) {
      fmt::print(stderr, "{}", kHelp);
    } else {
      guard.reset();
      try {
        talk.ask(text, guard);
      } catch (const Error& error) {
        // The conversation may have outgrown the context: the user can /reset and go on.
        if (!terminal) throw;
        fmt::print(stderr, "caravel: {}\n", error.what());
      }
    }
  }
  if (terminal) fmt::print(stderr, "\n");
}

}  // namespace

void add_chat(CLI::App& program) {
  struct Options {
    EngineConfig engine;
    SamplingFlags sampling;
    ChatFlags chat;
    std::string system;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command = *program.add_subcommand("chat", "Talk with a model: answers stream, the conversation is kept");
  command.add_option("--system", options->system, "System prompt");
  options->sampling.add_to(command, Surface::kTerminal);
  options->chat.add_to(command, options->engine);
  add_engine_flags(command, options->engine);
  command.callback([options] {
    const SamplingParams sampling = options->sampling.params();
    if (sampling.n.value_or(1) != 1 || sampling.use_beam_search) {
      throw UsageError("chat gives one answer: leave out -n and --beams");
    }
    const auto engine = Engine::open(options->chat.load(options->engine));
    run_chat(*engine, sampling, options->system);
  });
}

}  // namespace caravel::cli
