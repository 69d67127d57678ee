#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/chat_line.h"

namespace caravel::cli {

/// One row of a chat's table of commands. /help, completion and the hint about a misspelt name come from it.
struct ChatCommand {
  std::string name;       // with its slash
  std::string arguments;  // as /help shows them, "[NAME]" where they may be left out; empty: there are none
  std::string help;       // empty: another name of a command that is listed
  std::function<void(const std::string& argument)> run;
  /// What the argument that begins so may be; each candidate begins with it.
  std::function<std::vector<std::string>(const std::string& begun)> complete = {};
};

class ChatCommands {
 public:
  explicit ChatCommands(std::vector<ChatCommand> commands) : commands_(std::move(commands)) {}

  /// A slash, letters (or a question mark), and then nothing or blanks. Other texts that begin with a slash are
  /// messages: paths such as /etc/hosts, comments such as /* this */.
  static bool is_command(std::string_view text);

  /// text: a command. Throws InvalidArgument where there is none of its name, or it takes no argument, or wants one;
  /// and what the command does.
  void run(const std::string& text) const;

  /// A line for each that is listed.
  std::string help() const;

  /// Of a name, or of the argument behind one.
  TabOffer complete(const std::string& before_cursor) const;

 private:
  std::vector<ChatCommand> commands_;
};

/// Those of `texts` that begin with `begin`.
std::vector<std::string> beginning_with(std::string_view begin, std::vector<std::string> texts);

}  // namespace caravel::cli
