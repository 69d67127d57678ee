#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/interrupt.h"

struct editline;  // libedit's
struct history;

namespace caravel::cli {

/// What may stand in place of the text before the cursor, from its byte `begin` on.
struct TabOffer {
  size_t begin = 0;
  std::vector<std::string> candidates;  // each begins with what stands there
};
using Completer = std::function<TabOffer(const std::string& before_cursor)>;

/// Whether the terminal behind this file descriptor takes escape sequences.
bool takes_escapes(int descriptor);

/// A text as a line may have it: its breaks as \n, no other control characters but tabs, and UTF-8.
std::string clean_text(std::string_view text);

/// Lines of the terminal on standard input, with editing, history and completion by Tab (libedit). A block that is
/// pasted becomes a part of the line, its line breaks with it, by "bracketed paste": the terminal says where it begins
/// and ends, from the first read() to this object's end, so that a block that comes during an answer is whole too.
/// One at a time.
class LineEditor {
 public:
  /// guard: must outlive it.
  LineEditor(InterruptGuard& guard, Completer completer);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  /// Nothing: ctrl-D, or the terminal is gone. An empty text and guard.interrupted(): ctrl-C gave the line up.
  std::optional<std::string> read(const std::string& prompt);
  /// Takes what was typed while nobody read, for the next read().
  void keep_typed();
  /// The arrows bring it back.
  void remember(const std::string& text);
  /// Asks the terminal to mark what is pasted, or no longer to.
  void mark_pastes(bool on) const;

 private:
  friend struct LineEditorCalls;  // what libedit calls

  bool read_more(int milliseconds);
  bool comes_next(std::string_view mark);
  bool take_paste();
  int read_key(wchar_t& key);
  unsigned char complete();

  InterruptGuard& guard_;
  const Completer completer_;
  std::unique_ptr<struct editline, void (*)(struct editline*)> edit_;
  std::unique_ptr<struct history, void (*)(struct history*)> history_;  // (a function has that name too)
  std::string prompt_;
  std::string typed_;       // what the terminal has sent and libedit has not taken
  bool was_empty_ = false;  // the line that ctrl-C gave up
  std::string pasted_;      // the block that is about to become a part of the line
};

}  // namespace caravel::cli
