#include "cli/completion.h"

#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/flag_table.h"
#include "cli/output_file.h"
#include "cli/usage.h"
#include "cli/voyage/default_command.h"
#include "format/model_path.h"

namespace caravel::cli {
namespace {

void add_commands(const CLI::App& app, const std::string& words, std::vector<CompletedCommand>& commands) {
  commands.push_back({.app = &app, .flags = &default_command(app), .words = words});
  for (const CLI::App* each : app.get_subcommands([](const CLI::App* inner) { return !inner->get_name().empty(); })) {
    add_commands(*each, words.empty() ? each->get_name() : words + " " + each->get_name(), commands);
  }
}

std::string completion_text(const CLI::App& program, const std::string& kind) {
  std::string text;
  if (kind == "models") {
    for (const std::string& name : format::model_names()) text += name + "\n";
    return text;
  }
  if (kind == "bash") return bash_completion(program);
  return kind == "zsh" ? zsh_completion(program) : fish_completion(program);
}

}  // namespace

std::vector<CompletedCommand> completed_commands(const CLI::App& program) {
  std::vector<CompletedCommand> commands;
  add_commands(program, "", commands);
  return commands;
}

void add_completion(CLI::App& program) {
  CLI::App& command =
      *program.add_subcommand("completion", "Completions for a shell, or the names that MODEL may be")->group("");
  auto kind = std::make_shared<std::string>();
  command.add_option("SHELL", *kind, "What to print")->required()->transform(one_of({"bash", "zsh", "fish", "models"}));
  command.callback([&program, kind] { OutputFile("-").write(completion_text(program, *kind)); });
}

}  // namespace caravel::cli
