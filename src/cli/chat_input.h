#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/chat_line.h"
#include "cli/interrupt.h"

namespace caravel::cli {

/// What a person, or a pipe, says next.
struct ChatEntry {
  std::string text;         // without blank lines around it and blanks at its end
  bool is_message = false;  // whatever it begins with: it stood between three quotes, or, one line, behind a blank
};

/// Without blank lines around it and blanks at its end. The first line may be indented, as that of a piece of code.
std::string without_blank_lines(std::string_view text);

/// What comes to a chat: lines of a terminal, edited, with pasted blocks in them; or of a pipe, as they are. Three
/// double quotes begin an entry of several lines, and three more, or the end of the input, end it; a line that has
/// breaks of its own, because it was pasted, is whole as it is.
class ChatInput {
 public:
  /// guard: must outlive it.
  ChatInput(InterruptGuard& guard, Completer completer);

  bool is_terminal() const { return editor_.has_value(); }
  /// Nothing: the end. A text is empty where nothing was said, or ctrl-C gave it up.
  std::optional<ChatEntry> next();
  /// The arrows bring it back; what next() gave is known already.
  void remember(const std::string& text);
  /// Takes what was typed while nobody read, for next().
  void keep_typed();
  /// Another program is about to use the terminal, until next().
  void lend_terminal() const;

 private:
  std::optional<std::string> read_line(const char* prompt);
  ChatEntry read_quoted(std::string text);

  InterruptGuard& guard_;
  std::optional<LineEditor> editor_;  // nothing: a pipe
};

}  // namespace caravel::cli
