#include "cli/chat_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/near_miss.h"

namespace caravel::cli {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

/// Where the name ends.
size_t name_size(std::string_view text) { return std::min(text.find_first_of(kBlanks), text.size()); }

std::string argument_of(const std::string& text) {
  const size_t begin = text.find_first_not_of(kBlanks, name_size(text));
  return begin == std::string::npos ? "" : text.substr(begin);
}

}  // namespace

std::vector<std::string> beginning_with(std::string_view begin, std::vector<std::string> texts) {
  std::erase_if(texts, [begin](const std::string& text) { return !text.starts_with(begin); });
  return texts;
}

bool ChatCommands::is_command(std::string_view text) {
  const std::string_view name = text.substr(0, name_size(text));
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '?'; };
  return name.starts_with('/') && std::ranges::all_of(name.substr(1), is_letter);
}

void ChatCommands::run(const std::string& text) const {
  const std::string name = text.substr(0, name_size(text));
  const std::string argument = argument_of(text);
  std::string lower = name;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto found = std::ranges::find(commands_, lower, &ChatCommand::name);
  if (found == commands_.end()) {
    std::vector<std::string> names;
    for (const ChatCommand& command : commands_) names.push_back(command.name);
    const std::string near = near_miss(name, names);
    throw fail<InvalidArgument>(
        "no command is called '{}'{}; /help lists them, and a space before it makes it a message", name,
        near.empty() ? "" : fmt::format("; the nearest is '{}'", near));
  }
  if (found->arguments.empty() && !argument.empty()) {
    throw fail<InvalidArgument>("{} takes nothing behind it; a space before it makes it a message", name);
  }
  if (!found->arguments.empty() && !found->arguments.starts_with('[') && argument.empty()) {
    throw fail<InvalidArgument>("{} what? Give {} {}", name, name, found->arguments);
  }
  found->run(argument);
}

std::string ChatCommands::help() const {
  std::string text;
  for (const ChatCommand& command : commands_) {
    if (command.help.empty()) continue;
    text += fmt::format("{:<22} {}\n", command.name + (command.arguments.empty() ? "" : " ") + command.arguments,
                        command.help);
  }
  return text;
}

TabOffer ChatCommands::complete(const std::string& before_cursor) const {
  if (!before_cursor.starts_with('/')) return {};
  const size_t end = name_size(before_cursor);
  if (end == before_cursor.size()) {
    std::vector<std::string> names;
    for (const ChatCommand& command : commands_) {
      if (!command.help.empty()) names.push_back(command.name + (command.arguments.empty() ? "" : " "));
    }
    return {0, beginning_with(before_cursor, std::move(names))};
  }
  const auto found = std::ranges::find(commands_, before_cursor.substr(0, end), &ChatCommand::name);
  if (found == commands_.end() || !found->complete) return {};
  const std::string begun = argument_of(before_cursor);
  return {before_cursor.size() - begun.size(), found->complete(begun)};
}

}  // namespace caravel::cli
