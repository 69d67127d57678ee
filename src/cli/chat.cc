#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/utf8.h"
#include "caravel/engine.h"
#include "cli/chat_commands.h"
#include "cli/chat_files.h"
#include "cli/chat_input.h"
#include "cli/chat_settings.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "cli/open_engine.h"
#include "cli/output_file.h"
#include "cli/quiet_terminal.h"
#include "cli/request_row.h"
#include "fields/sampling.h"
#include "format/model_path.h"

namespace caravel::cli {
namespace {

constexpr const char* kMoreHelp =
    "A pasted block is one message. Three double quotes begin a message of several lines and end it.\n"
    "/ and letters are a command; /etc/hosts or /* is a message, and so is what has a space before it.\n"
    "Ctrl-C stops an answer, or gives a line up; ctrl-D leaves; Tab completes commands.\n";

/// A line beside the conversation, dim where the terminal can.
void note(const std::string& text) {
  const char* const no_color = std::getenv("NO_COLOR");
  const bool dim = takes_escapes(STDERR_FILENO) && (no_color == nullptr || *no_color == '\0');
  log::show(fmt::format("{}{}{}\n", dim ? "\x1b[2m" : "", text, dim ? "\x1b[0m" : ""));
}

/// The first line, or as much of it as a note has room for.
std::string beginning_of(const std::string& text) {
  constexpr size_t kMost = 60;
  size_t end = std::min(text.find('\n'), text.size());
  if (end > kMost) end = kMost;
  while (end < text.size() && is_continuation(text[end])) --end;
  return text.substr(0, end) + (end < text.size() ? "..." : "");
}

class Talk {
 public:
  /// engine: must outlive it.
  Talk(Engine& engine, SamplingParams sampling, Json messages)
      : engine_(engine), renderer_(make_renderer(engine)), sampling_(std::move(sampling)) {
    conversation_.messages = std::move(messages);
  }

  const Json& messages() const { return conversation_.messages; }
  void set_messages(Json messages) { conversation_.messages = std::move(messages); }
  const SamplingParams& sampling() const { return sampling_; }

  /// What the prompt begins with, where that is for the model and not from the person.
  Json system_messages() const {
    const Json& messages = conversation_.messages;
    const bool has_one = !messages.empty() && (messages[0]["role"] == "system" || messages[0]["role"] == "developer");
    return has_one ? Json::array({messages[0]}) : Json::array();
  }

  void ask(const std::string& text, InterruptGuard& guard, ChatInput& input) {
    conversation_.messages.push_back({{"role", "user"}, {"content", text}});
    answer(guard, input);
  }

  /// The last question gets another answer. Throws InvalidArgument where there is none.
  void ask_again(InterruptGuard& guard, ChatInput& input) {
    const Json before = conversation_.messages;
    take_back_answer();
    if (conversation_.messages.empty() || conversation_.messages.back()["role"] != "user") {
      conversation_.messages = before;
      throw InvalidArgument("there is no question yet that could be answered again");
    }
    answer(guard, input);
  }

  /// The last question and its answer are gone. Throws InvalidArgument where there is none.
  void take_back() {
    Json& messages = conversation_.messages;
    if (messages.size() == system_messages().size()) throw InvalidArgument("there is nothing yet to take back");
    take_back_answer();
    drop_question();
  }

  /// The last answer goes on where it ends; a question that has none gets one. Throws InvalidArgument where there is
  /// neither.
  void go_on(InterruptGuard& guard, ChatInput& input) {
    const Json& messages = conversation_.messages;
    if (messages.size() == system_messages().size()) throw InvalidArgument("there is no answer yet that could go on");
    // The grammar would begin again in the middle of what it prescribes.
    if (is_answered() && sampling_.grammar.kind != GrammarSpec::Kind::kNone) {
      throw InvalidArgument(
          "an answer of a prescribed form cannot go on; /set max_tokens N allows more, then ask again");
    }
    answer(guard, input);
  }

  void print_stats() const {
    const Stats stats = engine_.stats();
    const double decode_seconds = seconds_ - first_token_seconds_;
    log::show(
        fmt::format("last answer: {} prompt tokens ({} cached), {} generated, {:.2f} s to the first, {:.1f} tokens/s\n"
                    "engine: {} of {} KV blocks used, {} hold cached prefixes; {} tokens generated in {} steps\n",
                    usage_.prompt_tokens, usage_.cached_tokens, usage_.completion_tokens, first_token_seconds_,
                    decode_seconds > 0 ? std::max(0, usage_.completion_tokens - 1) / decode_seconds : 0.0,
                    stats.used_blocks, stats.total_blocks, stats.cached_blocks, stats.generated_tokens, stats.steps));
  }

  std::string settings() const {
    return chat_settings_text(sampling_, resolved(sampling_), engine_.generation_defaults());
  }
  std::string setting(const std::string& name) const {
    return chat_setting_text(sampling_, resolved(sampling_), engine_.generation_defaults(), name);
  }
  /// As set_chat_parameter(); refused too is what no answer could be drawn with.
  std::string set(const std::string& assignment) {
    SamplingParams changed = sampling_;
    std::string said = set_chat_parameter(changed, assignment);
    validate_sampling(resolved(changed), engine_.model().vocab_size);
    sampling_ = std::move(changed);
    return said;
  }

 private:
  SamplingParams resolved(SamplingParams params) const {
    resolve_sampling(params, engine_.generation_defaults(), default_sampling(Surface::kTerminal));
    return params;
  }

  void take_back_answer() {
    Json& messages = conversation_.messages;
    while (messages.size() > system_messages().size() && messages.back()["role"] != "user") {
      messages.erase(messages.end() - 1);
    }
  }

  bool is_answered() const { return conversation_.messages.back()["role"] == "assistant"; }

  /// Streams what the model says next: an answer, or more of the last one. An answer that ctrl-C stopped stays in the
  /// conversation as far as it came; a question without an answer does not, so that the next one takes its place.
  void answer(InterruptGuard& guard, ChatInput& input) {
    const bool goes_on = is_answered();
    conversation_.continue_final_message = goes_on;
    const Clock::time_point start = Clock::now();
    std::unique_ptr<RequestHandle> handle;
    try {
      Request request{.sampling = sampling_, .fallback = default_sampling(Surface::kTerminal)};
      handle = chat_submission(renderer_, conversation_, std::move(request)).submit(engine_);
    } catch (const Error&) {
      drop_question();
      throw;
    }
    print(*handle, start, guard, input);
    const Result& result = handle->result();
    usage_ = result.usage;
    seconds_ = seconds_since(start);
    if (!result.error.empty()) {
      drop_question();
      throw fail<Error>("{}", result.error);
    }
    const Completion& answer = result.completions.at(0);
    if (!goes_on) conversation_.messages.push_back({{"role", "assistant"}, {"content", ""}});
    append_to_last(answer);
    say_why_it_ended(answer, goes_on);
  }

  void drop_question() {
    Json& messages = conversation_.messages;
    if (!messages.empty() && messages.back()["role"] == "user") messages.erase(messages.end() - 1);
  }

  void append_to_last(const Completion& answer) {
    Json& message = conversation_.messages.back();
    Json& content = message["content"];  // null where it was loaded with calls of tools alone
    if (content.is_array()) {
      const bool has_text = !content.empty() && content.back().contains("text");
      if (!has_text) content.push_back({{"type", "text"}, {"text", ""}});
      content.back()["text"].get_ref<std::string&>() += answer.content;
    } else {
      content = (content.is_string() ? content.get<std::string>() : std::string()) + answer.content;
    }
    if (answer.reasoning.empty()) return;
    message["reasoning_content"] = message.value("reasoning_content", std::string()) + answer.reasoning;
  }

  void say_why_it_ended(const Completion& answer, bool goes_on) const {
    const int context = engine_.model().max_model_len;
    if (answer.finish_reason == FinishReason::kCancelled) {
      note("(stopped; /continue goes on)");
    } else if (answer.finish_reason == FinishReason::kStop && goes_on && answer.text.empty()) {
      note("(the model has nothing to add)");
    } else if (answer.stop_reason == kRepetitionDetected) {
      note("(ended: it went round in a circle; /set temperature or repetition_penalty higher, or repetition_window 0)");
    } else if (answer.finish_reason == FinishReason::kLength) {
      if (usage_.prompt_tokens + usage_.completion_tokens >= context) {
        note(fmt::format("(the context is full, {} tokens; /reset begins anew, /save FILE keeps this)", context));
      } else {
        note(fmt::format("(cut after {} tokens; /continue goes on, /set max_tokens N allows more)",
                         usage_.completion_tokens));
      }
    }
  }

  void print(RequestHandle& handle, Clock::time_point start, InterruptGuard& guard, ChatInput& input) {
    OutputFile out("-");
    const QuietTerminal quiet(guard);
    first_token_seconds_ = 0;
    while (true) {
      const Next next = handle.next(Clock::now() + std::chrono::milliseconds(50));
      input.keep_typed();
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
  SamplingParams sampling_;
  chat::Conversation conversation_;
  Usage usage_;
  double first_token_seconds_ = 0;
  double seconds_ = 0;
};

std::string count_of(const Json& messages) {
  return fmt::format("{} message{}", messages.size(), messages.size() == 1 ? "" : "s");
}

Json system_message(const std::string& text) {
  return text.empty() ? Json::array() : Json::array({{{"role", "system"}, {"content", text}}});
}

/// Throws where the model is one that goes on with texts and has no conversations. name: as it was asked for.
void check_chats(const ModelInfo& model, const std::string& name) {
  if (!model.chat_template.empty() || !model.chat_template_error.empty()) return;
  throw fail<InvalidArgument>(
      "{} has no chat template: it goes on with texts, as in caravel generate {} --prompt \"TEXT\". --chat-template "
      "FILE "
      "lets it chat in another model's way",
      model.name, name);
}

/// A model, a conversation with it, and the person or the pipe on the other side.
class Chat {
 public:
  Chat(EngineConfig config, SamplingParams sampling, const std::string& system)
      : config_(std::move(config)), engine_(open_engine(config_)) {
    check_chats(engine_->model(), config_.model);
    talk_.emplace(*engine_, std::move(sampling), system_message(system));
  }

  void run() {
    InterruptGuard guard;
    ChatInput input(guard, [this](const std::string& begun) { return commands_.complete(begun); });
    guard_ = &guard;
    input_ = &input;
    if (input.is_terminal()) log::show(fmt::format("{}. /help lists the commands.\n", engine_->model().name));
    while (!leaves_) {
      const std::optional<ChatEntry> entry = input.next();
      if (!entry) break;
      if (!entry->text.empty()) take(*entry);
    }
    if (input.is_terminal() && !leaves_) log::show("\n");
  }

 private:
  void take(const ChatEntry& entry) {
    guard_->reset();
    try {
      if (!entry.is_message && ChatCommands::is_command(entry.text)) {
        commands_.run(entry.text);
      } else {
        talk_->ask(entry.text, *guard_, *input_);
      }
    } catch (const Error& error) {
      if (!input_->is_terminal() || !talk_) throw;
      std::string_view message = error.what();
      const std::string_view too_long = " (max_model_len): shorten it";
      if (message.ends_with(too_long)) {
        message.remove_suffix(too_long.size());
        log::tell(spdlog::level::err,
                  fmt::format("with all that was said {}: /undo takes the last question back, /reset begins anew, and "
                              "caravel chat --max-model-len N begins with more room",
                              message));
      } else {
        log::tell(spdlog::level::err, message);
      }
    }
  }

  void reset() {
    talk_->set_messages(talk_->system_messages());
    note(talk_->messages().empty() ? "(the conversation begins anew)"
                                   : "(the conversation begins anew, with its system prompt)");
  }

  void begin_with_system(const std::string& text) {
    talk_->set_messages(system_message(text));
    note(text.empty() ? "(the conversation begins anew, without a system prompt)"
                      : fmt::format("(the conversation begins anew; system prompt: {})", beginning_of(text)));
  }

  void edit(const std::string& text) {
    if (!input_->is_terminal()) throw InvalidArgument("/edit needs a terminal; a pipe's messages are its lines");
    input_->lend_terminal();
    const std::string message = without_blank_lines(clean_text(compose(text)));
    if (message.empty()) return note("(nothing was written, nothing is sent)");
    log::show(fmt::format("{}\n", message));
    input_->remember(message);
    talk_->ask(message, *guard_, *input_);
  }

  void set(const std::string& assignment) {
    if (assignment.empty()) {
      log::show(talk_->settings());
    } else if (assignment.find_first_of(" \t=") == std::string::npos) {
      note(fmt::format("({})", talk_->setting(assignment)));
    } else {
      note(fmt::format("({})", talk_->set(assignment)));
    }
  }

  void undo() {
    talk_->take_back();
    note(fmt::format("(the last question is taken back; {})",
                     talk_->messages().empty() ? "the conversation is empty" : count_of(talk_->messages()) + " stay"));
  }

  void save(const std::string& argument) {
    const std::string file = unquoted(argument);
    save_messages(expand_home(file), talk_->messages());
    note(fmt::format("({} saved in {})", count_of(talk_->messages()), file));
  }

  void load(const std::string& argument) {
    const std::string file = unquoted(argument);
    talk_->set_messages(load_messages(expand_home(file)));
    const Json& messages = talk_->messages();
    note(fmt::format("({} loaded from {}; the last is the {}'s{})", count_of(messages), file,
                     messages.back()["role"].get_ref<const std::string&>(),
                     messages.back()["role"] == "user" ? ", /continue answers it" : ""));
  }

  void show_model() const {
    const ModelInfo& model = engine_->model();
    log::show(fmt::format("{}: {}, {:.0f} million parameters, a context of {} tokens; {}\n", model.name,
                          model.architecture, static_cast<double>(model.parameters) / 1e6, model.max_model_len,
                          model.path));
  }

  /// The old engine goes first: there may not be memory for two.
  void open_model(const std::string& name) {
    EngineConfig config = config_;
    config.model = expand_home(unquoted(name));
    const SamplingParams sampling = talk_->sampling();
    const Json messages = talk_->messages();
    const auto open = [&](const EngineConfig& with) {
      talk_.reset();
      engine_.reset();
      engine_ = open_engine(with);
      talk_.emplace(*engine_, sampling, messages);
    };
    bool is_gone = false;
    try {
      check_chats(describe_model(config), config.model);  // a name that leads nowhere costs nothing
      is_gone = true;
      open(config);
      config_ = std::move(config);
    } catch (const Error& error) {
      if (is_gone) open(config_);
      throw fail<Error>("{}; {} stays", error.what(), engine_->model().name);
    }
    show_model();
  }

  ChatCommands make_commands() {
    const auto paths = paths_beginning;
    const auto leave = [this](const std::string&) { leaves_ = true; };
    const auto help = [this](const std::string&) { log::show(fmt::format("{}{}", commands_.help(), kMoreHelp)); };
    const auto models = [](const std::string& begun) {
      std::vector<std::string> names = beginning_with(begun, format::model_names());
      return names.empty() ? paths_beginning(begun) : names;
    };
    const auto settings = [](const std::string& begun) {
      std::vector<std::string> names = beginning_with(begun, chat_setting_names());
      for (std::string& name : names) name += ' ';
      return names;
    };
    return ChatCommands(std::vector<ChatCommand>{
        {"/help", "", "this list", help},
        {"/continue", "", "go on with an answer that was cut or stopped",
         [this](const std::string&) { talk_->go_on(*guard_, *input_); }},
        {"/retry", "", "answer the last question again",
         [this](const std::string&) { talk_->ask_again(*guard_, *input_); }},
        {"/undo", "", "take the last question and its answer back", [this](const std::string&) { undo(); }},
        {"/edit", "[TEXT]", "write the message in $VISUAL or $EDITOR", [this](const std::string& text) { edit(text); }},
        {"/reset", "", "forget the conversation, but for the system prompt", [this](const std::string&) { reset(); }},
        {"/system", "[TEXT]", "forget it, and begin another with this system prompt (none: no text)",
         [this](const std::string& text) { begin_with_system(text); }},
        {"/set", "[NAME VALUE]", "how answers are drawn: /set temperature 0.2, or default; alone: what holds",
         [this](const std::string& assignment) { set(assignment); }, settings},
        {"/model", "[NAME]", "which model it is; go on with another one",
         [this](const std::string& name) { name.empty() ? show_model() : open_model(name); }, models},
        {"/save", "FILE", "write the conversation, as JSON messages", [this](const std::string& file) { save(file); },
         paths},
        {"/load", "FILE", "go on with the conversation in a file", [this](const std::string& file) { load(file); },
         paths},
        {"/stats", "", "what the last answer took, and what the engine holds",
         [this](const std::string&) { talk_->print_stats(); }},
        {"/exit", "", "leave; so do /quit, /bye and ctrl-D", leave},
        {"/regen", "", "", [this](const std::string&) { talk_->ask_again(*guard_, *input_); }},
        {"/clear", "", "", [this](const std::string&) { reset(); }},
        {"/new", "", "", [this](const std::string&) { reset(); }},
        {"/show", "[INFO]", "", [this](const std::string&) { show_model(); }},
        {"/quit", "", "", leave},
        {"/bye", "", "", leave},
        {"/?", "", "", help},
    });
  }

  EngineConfig config_;
  std::unique_ptr<Engine> engine_;
  std::optional<Talk> talk_;  // nothing: its model is gone, and no other could be opened
  const ChatCommands commands_ = make_commands();
  InterruptGuard* guard_ = nullptr;  // while it runs
  ChatInput* input_ = nullptr;
  bool leaves_ = false;
};

}  // namespace

void add_chat(CLI::App& program) {
  struct Options {
    EngineConfig engine;
    SamplingFlags sampling;
    ChatFlags chat;
    std::string system;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command = *program.add_subcommand(
      "chat", "Talk with a model: answers stream, the conversation is kept; /help in it lists its commands");
  command.add_option("--system", options->system, "System prompt");
  options->sampling.add_to(command, Surface::kTerminal);
  options->chat.add_to(command, options->engine);
  add_engine_flags(command, options->engine);
  command.callback(
      [options] { Chat(options->chat.load(options->engine), options->sampling.params(), options->system).run(); });
}

}  // namespace caravel::cli
