#include "cli/chat_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "base/utf8.h"

namespace caravel::cli {
namespace {

constexpr const char* kMarkPastes = "\x1b[?2004h";
constexpr const char* kMarkNoPastes = "\x1b[?2004l";
constexpr std::string_view kPasteBegins = "\x1b[200~";
constexpr std::string_view kPasteEnds = "\x1b[201~";
constexpr int kForever = -1;
constexpr int kRestOfKey = 50;  // milliseconds that a terminal far away may take between the bytes of one key

/// What libedit is told of a pasted block: a control character that no keyboard sends, bound to insert_paste().
constexpr wchar_t kPasteKey = 0x9E;
constexpr const char* kPasteKeyName = "\\236";  // as libedit's parser writes it, in octal

/// Where the line is drawn: results alone belong into a file that standard output may be.
FILE* screen() { return ::isatty(STDOUT_FILENO) == 1 ? stdout : stderr; }

/// What all of them begin with, in whole characters.
std::string common_beginning(const std::vector<std::string>& texts) {
  std::string_view common = texts.front();
  for (const std::string& text : texts) {
    const auto apart = std::ranges::mismatch(common, text).in1;
    common = common.substr(0, static_cast<size_t>(apart - common.begin()));
  }
  size_t end = common.size();
  while (end > 0 && end < texts.front().size() && is_continuation(texts.front()[end])) --end;
  return std::string(common.substr(0, end));
}

}  // namespace

bool takes_escapes(int descriptor) {
  const char* const terminal = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

// Terminals send carriage returns for line breaks.
std::string clean_text(std::string_view block) {
  std::string text;
  while (!block.empty()) {
    const Utf8Sequence next = next_utf8(block);
    const char32_t c = next.code_point;
    const bool is_control = c < 0x20 || (c >= 0x7F && c < 0xA0);
    if (next.kind != Utf8Sequence::kCharacter) {
      text += kReplacement;
    } else if (c == '\r') {
      if (!block.starts_with("\r\n")) text += '\n';
    } else if (!is_control || c == '\t' || c == '\n') {
      text += block.substr(0, next.length);
    }
    block.remove_prefix(next.length);
  }
  return text;
}

struct LineEditorCalls {
  static LineEditor& self(EditLine* edit) {
    void* data = nullptr;
    ::el_get(edit, EL_CLIENTDATA, &data);
    return *static_cast<LineEditor*>(data);
  }
  static char* prompt(EditLine* edit) { return self(edit).prompt_.data(); }
  static int read_key(EditLine* edit, wchar_t* key) { return self(edit).read_key(*key); }
  static unsigned char complete(EditLine* edit, wint_t) { return self(edit).complete(); }
  static unsigned char insert_paste(EditLine* edit, wint_t) {
    const std::string text = std::exchange(self(edit).pasted_, {});
    return text.empty() || ::el_insertstr(edit, text.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  }
};

LineEditor::LineEditor(InterruptGuard& guard, Completer completer)
    : guard_(guard),
      completer_(std::move(completer)),
      edit_(nullptr, ::el_end),
      history_(::history_init(), ::history_end) {
  // libedit takes and gives characters by the locale; a program begins in "C", which has ASCII alone.
  std::setlocale(LC_CTYPE, "C.UTF-8");
  edit_.reset(::el_init("caravel", stdin, screen(), stderr));
  EditLine* const edit = edit_.get();
  ::el_set(edit, EL_CLIENTDATA, this);
  ::el_set(edit, EL_PROMPT, LineEditorCalls::prompt);
  ::el_set(edit, EL_SIGNAL, 1);  // the terminal is as it was while the program is stopped (ctrl-Z), or ends
  ::el_set(edit, EL_EDITOR, "emacs");
  // A pasted \r\n comes as it is, and is told from two line breaks.
  ::el_set(edit, EL_SETTY, "-d", "-icrnl", "-inlcr", nullptr);
  HistEvent event;
  ::history(history_.get(), &event, H_SETSIZE, INT_MAX);
  ::el_set(edit, EL_HIST, ::history, history_.get());
  ::el_wset(edit, EL_GETCFN, LineEditorCalls::read_key);
  ::el_wset(edit, EL_ADDFN, L"caravel-complete", L"Complete a command", LineEditorCalls::complete);
  ::el_wset(edit, EL_ADDFN, L"caravel-paste", L"Insert what was pasted", LineEditorCalls::insert_paste);
  constexpr std::pair<const char*, const char*> kKeys[] = {
      {"^R", "em-inc-search-prev"}, {"\\e[1~", "ed-move-to-beg"},      {"\\e[4~", "ed-move-to-end"},
      {"\\e[7~", "ed-move-to-beg"}, {"\\e[8~", "ed-move-to-end"},      {"\\e[H", "ed-move-to-beg"},
      {"\\e[F", "ed-move-to-end"},  {"\\e[3~", "ed-delete-next-char"}, {"\\e[2~", "ed-quoted-insert"},
      {"\\e[1;5C", "em-next-word"}, {"\\e[1;5D", "ed-prev-word"},      {"\\e[5C", "em-next-word"},
      {"\\e[5D", "ed-prev-word"},   {"\\e\\e[C", "em-next-word"},      {"\\e\\e[D", "ed-prev-word"},
  };
  for (const auto& [key, command] : kKeys) ::el_set(edit, EL_BIND, key, command, nullptr);
  ::el_source(edit, nullptr);  // ~/.editrc, which may choose vi's keys: what must be bound comes after it
  ::el_set(edit, EL_BIND, "^I", "caravel-complete", nullptr);
  ::el_set(edit, EL_BIND, kPasteKeyName, "caravel-paste", nullptr);
  ::el_set(edit, EL_BIND, "-a", kPasteKeyName, "caravel-paste", nullptr);  // vi's command mode
  if (takes_escapes(::fileno(screen()))) guard_.set_last_words(::fileno(screen()), kMarkNoPastes);
}

LineEditor::~LineEditor() {
  guard_.set_last_words(STDERR_FILENO, nullptr);
  mark_pastes(false);
}

void LineEditor::mark_pastes(bool on) const {
  if (!takes_escapes(::fileno(screen()))) return;
  log::show(on ? kMarkPastes : kMarkNoPastes, screen());
  std::fflush(screen());
}

std::optional<std::string> LineEditor::read(const std::string& prompt) {
  guard_.reset();
  was_empty_ = false;
  prompt_ = prompt;
  mark_pastes(true);  // an editor that ran meanwhile, or the shell after a ctrl-Z, has switched it off
  int bytes = 0;
  const char* const line = ::el_gets(edit_.get(), &bytes);
  if (guard_.interrupted()) {
    // The cursor may have stood above the end of what is given up.
    log::show(fmt::format("\n{}{}", takes_escapes(::fileno(screen())) ? "\x1b[J" : "",
                          was_empty_ ? "(ctrl-D or /exit leaves)\n" : ""),
              screen());
    std::fflush(screen());
    return "";
  }
  if (line == nullptr) return std::nullopt;
  std::string text(line, static_cast<size_t>(bytes));
  if (text.ends_with('\n')) text.pop_back();  // the key that ended it
  return text;
}

void LineEditor::remember(const std::string& text) {
  HistEvent event;
  ::history(history_.get(), &event, H_ENTER, text.c_str());
}

void LineEditor::keep_typed() {
  std::array<char, 4096> bytes;
  struct pollfd input = {STDIN_FILENO, POLLIN, 0};
  while (::poll(&input, 1, 0) == 1 && (input.revents & POLLIN) != 0) {
    const ssize_t count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (count <= 0) return;
    typed_.append(bytes.data(), static_cast<size_t>(count));
  }
}

/// What the terminal has sent is behind what is in typed_. False: ctrl-C, the terminal's end, or nothing in that time.
bool LineEditor::read_more(int milliseconds) {
  while (true) {
    std::array<struct pollfd, 2> inputs = {{{STDIN_FILENO, POLLIN, 0}, {guard_.descriptor(), POLLIN, 0}}};
    const int ready = ::poll(inputs.data(), inputs.size(), milliseconds);
    const bool was_stopped = ready < 0 && errno == EINTR;
    if (guard_.interrupted()) return false;
    if (was_stopped) {
      mark_pastes(true);
      // The shell has written below the line; the terminal is of another width.
      log::show("\r", screen());
      ::el_set(edit_.get(), EL_REFRESH);
      continue;
    }
    if (ready <= 0) return false;
    if (inputs[0].revents == 0) continue;
    std::array<char, 4096> bytes;
    const ssize_t count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    typed_.append(bytes.data(), static_cast<size_t>(count));
    return true;
  }
}

/// Whether the mark is what was typed next. Where it may be, the rest of it is waited for, but not for long: its
/// beginning is a key too, Escape.
bool LineEditor::comes_next(std::string_view mark) {
  while (typed_.size() < mark.size()) {
    if (!mark.starts_with(typed_) || !read_more(kRestOfKey)) return false;
  }
  return typed_.starts_with(mark);
}

/// The block whose beginning comes next is in pasted_. False: it has no end.
bool LineEditor::take_paste() {
  size_t searched = kPasteBegins.size();
  size_t end = 0;
  while ((end = typed_.find(kPasteEnds, searched)) == std::string::npos) {
    searched = std::max(kPasteBegins.size(), typed_.size() - std::min(typed_.size(), kPasteEnds.size() - 1));
    if (!read_more(kForever)) return false;
  }
  pasted_ = clean_text(std::string_view(typed_).substr(kPasteBegins.size(), end - kPasteBegins.size()));
  typed_.erase(0, end + kPasteEnds.size());
  return true;
}

/// As libedit wants it: 1 and the key; 0 at the end; -1 where ctrl-C gave the line up.
int LineEditor::read_key(wchar_t& key) {
  const auto nothing = [this] {
    const LineInfo& line = *::el_line(edit_.get());
    was_empty_ = line.lastchar == line.buffer;
    typed_.clear();
    return guard_.interrupted() ? -1 : 0;
  };
  if (typed_.empty() && !read_more(kForever)) return nothing();
  if (comes_next(kPasteBegins)) {
    if (!take_paste()) return nothing();
    key = kPasteKey;
    return 1;
  }
  Utf8Sequence next = next_utf8(typed_);
  while (next.kind == Utf8Sequence::kCut) {
    if (!read_more(kForever)) return nothing();
    next = next_utf8(typed_);
  }
  typed_.erase(0, next.length);
  key = next.kind == Utf8Sequence::kCharacter ? static_cast<wchar_t>(next.code_point) : L'\uFFFD';
  return 1;
}

unsigned char LineEditor::complete() {
  const LineInfo& line = *::el_line(edit_.get());
  const std::string before(line.buffer, line.cursor);
  const auto [begin, candidates] = completer_(before);
  if (candidates.empty()) return CC_ERROR;
  const std::string common = common_beginning(candidates);
  if (common.size() > before.size() - begin) {
    ::el_insertstr(edit_.get(), common.c_str() + (before.size() - begin));
    return CC_REFRESH;
  }
  if (candidates.size() == 1) return CC_NORM;
  log::show(fmt::format("\n{}\n", fmt::join(candidates, "  ")), screen());
  return CC_REDISPLAY;
}

}  // namespace caravel::cli
