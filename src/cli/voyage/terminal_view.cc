#include "cli/voyage/terminal_view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "cli/chat_line.h"

namespace caravel::cli {
namespace {

// The terminal's other screen, without a cursor and without breaking lines by itself; and back.
constexpr const char* kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr const char* kLeave = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

constexpr std::chrono::milliseconds kDrawEvery{100};  // at most
constexpr std::chrono::seconds kDrawLeast{1};         // so that a clock goes on while a model is waited for
constexpr int kBlocksAround = 32;                     // of the player, that the map shows
constexpr size_t kMostColumns = 200, kMostRows = 60;  // that are drawn; the rest of a larger terminal stays empty

void show_now(std::string_view text) {
  log::show(text, stdout);
  std::fflush(stdout);
}

ScreenSize screen_size(Colors colors) {
  ScreenSize size{.colors = colors};
  winsize window = {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 && window.ws_row > 0) {
    size.columns = std::min<size_t>(window.ws_col, kMostColumns);
    size.rows = std::min<size_t>(window.ws_row, kMostRows);
  }
  return size;
}

/// Around the player; empty where there is no room for it.
voyager::MapImage map_of(voyager::Environment& world, Colors colors) {
  if (map_room(screen_size(colors)).columns == 0) return {};
  return world.map(2 * kBlocksAround + 1, kBlocksAround);
}

/// A thread that no signal comes to: a write that one cuts short would lose part of a frame.
std::thread quiet_thread(std::function<void()> run) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(run));
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

bool TerminalView::is_possible() { return takes_escapes(STDOUT_FILENO) && takes_escapes(STDERR_FILENO); }

TerminalView::TerminalView(InterruptGuard& guard, VoyageStatus& status, std::string run, const std::string& last_words)
    : guard_(guard),
      run_(std::move(run)),
      last_words_(last_words),
      leave_and_last_words_(kLeave + last_words),
      status_(status),
      quiet_(guard, {.leave = kLeave, .enter = kEnter}) {
  guard_.set_last_words(STDOUT_FILENO, leave_and_last_words_.c_str());
  show_now(kEnter);
  thread_ = quiet_thread([this] { draw_frames(); });
}

TerminalView::~TerminalView() {
  change([this] { is_ended_ = true; });
  thread_.join();
  show_now(kLeave);
  guard_.set_last_words(STDERR_FILENO, last_words_.c_str());
}

void TerminalView::on(const voyager::Happening& what) {
  std::optional<voyager::MapImage> map;
  const auto look = [&](const auto& one) {
    if constexpr (requires { one.world; }) map = map_of(one.world, colors_);
  };
  std::visit(look, what);
  change([&] {
    status_.take(what);
    if (map) map_ = *std::move(map);
  });
}

void TerminalView::change(const std::function<void()>& make) {
  {
    const std::lock_guard lock(mutex_);
    make();
    is_new_ = true;
  }
  changed_.notify_one();
}

std::string TerminalView::frame() const {
  std::string frame = "\x1b[H";
  status_.is_ending = guard_.interrupted();
  for (const std::string& line : voyage_screen(status_, run_, map_, screen_size(colors_))) {
    if (frame.size() > 3) frame += "\r\n";
    frame += line;
  }
  return frame + "\x1b[J";
}

void TerminalView::draw_frames() {
  std::unique_lock lock(mutex_);
  for (;;) {
    is_new_ = false;
    const std::string next = frame();
    lock.unlock();
    show_now(next);  // for as long as the terminal takes
    lock.lock();
    changed_.wait_for(lock, kDrawEvery, [this] { return is_ended_; });
    changed_.wait_for(lock, kDrawLeast, [this] { return is_new_; });
    if (is_ended_) break;
  }
  const std::string last = frame();
  lock.unlock();
  show_now(last);
}

}  // namespace caravel::cli
