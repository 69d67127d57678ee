#include "cli/chat_input.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace caravel::cli {
namespace {

constexpr std::string_view kQuotes = "\"\"\"";
constexpr std::string_view kBlanksAndBreaks = " \t\r\n";

std::string_view without_blanks_behind(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kBlanksAndBreaks) + 1);
}

}  // namespace

std::string without_blank_lines(std::string_view text) {
  text = without_blanks_behind(text);
  const size_t first = std::min(text.find_first_not_of(kBlanksAndBreaks), text.size());
  const size_t line_break = text.substr(0, first).rfind('\n');
  return std::string(line_break == std::string_view::npos ? text : text.substr(line_break + 1));
}

ChatInput::ChatInput(InterruptGuard& guard, Completer completer) : guard_(guard) {
  if (::isatty(STDIN_FILENO) == 1) editor_.emplace(guard, std::move(completer));
}

void ChatInput::remember(const std::string& text) {
  if (editor_) editor_->remember(text);
}

void ChatInput::keep_typed() {
  if (editor_) editor_->keep_typed();
}

void ChatInput::lend_terminal() const {
  if (editor_) editor_->mark_pastes(false);
}

std::optional<std::string> ChatInput::read_line(const char* prompt) {
  if (editor_) return editor_->read(prompt);
  std::string text;
  if (!std::getline(std::cin, text)) {
    if (std::ferror(stdin) != 0) throw fail<IoError>("standard input: cannot read: {}", std::strerror(errno));
    return std::nullopt;
  }
  return text;
}

/// text: what stood behind the quotes that begin it.
ChatEntry ChatInput::read_quoted(std::string text) {
  while (!without_blanks_behind(text).ends_with(kQuotes)) {
    const std::optional<std::string> line = read_line(". ");
    if (guard_.interrupted()) {
      if (editor_) log::show("(the message is given up)\n");
      return {};
    }
    if (!line) return {.text = without_blank_lines(text), .is_message = true};
    text.append("\n").append(*line);
  }
  return {.text = without_blank_lines(text.substr(0, text.rfind(kQuotes))), .is_message = true};
}

std::optional<ChatEntry> ChatInput::next() {
  const std::optional<std::string> line = read_line("> ");
  if (!line) return std::nullopt;
  ChatEntry entry{.text = without_blank_lines(*line)};
  const bool is_one_line = entry.text.find('\n') == std::string::npos;
  const bool begins_block = is_one_line && entry.text.starts_with(kQuotes);
  if (begins_block) entry = read_quoted(entry.text.substr(kQuotes.size()));
  if (!entry.text.empty()) remember(entry.text);
  if (const size_t blanks = entry.text.find_first_not_of(kBlanksAndBreaks);
      is_one_line && !begins_block && blanks > 0) {
    entry = {.text = entry.text.substr(std::min(blanks, entry.text.size())), .is_message = true};
  }
  return entry;
}

}  // namespace caravel::cli
