#include "cli/voyage/terminal_view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "cli/chat_line.h"

namespace caravel::cli {
namespace {

// The terminal's other screen, without a cursor and without breaking lines by itself; and back.
constexpr const char* kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr const char* kLeave = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

constexpr double kDrawEvery = 0.05;  // seconds
constexpr int kBlocksAround = 32;    // of the player, that the map shows

void show_now(std::string_view text) {
  log::show(text, stdout);
  std::fflush(stdout);
}

ScreenSize screen_size(Colors colors) {
  ScreenSize size{.colors = colors};
  winsize window = {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 && window.ws_row > 0) {
    size.columns = window.ws_col;
    size.rows = window.ws_row;
  }
  return size;
}

}  // namespace

bool TerminalView::is_possible() { return takes_escapes(STDOUT_FILENO) && takes_escapes(STDERR_FILENO); }

TerminalView::TerminalView(InterruptGuard& guard, VoyageStatus& status, std::string run)
    : guard_(guard), status_(status), run_(std::move(run)), quiet_(guard, {.leave = kLeave, .enter = kEnter}) {
  guard_.set_last_words(STDOUT_FILENO, kLeave);
  show_now(kEnter);
  draw();
}

TerminalView::~TerminalView() {
  show_now(kLeave);
  guard_.set_last_words(STDOUT_FILENO, nullptr);
}

void TerminalView::on_iteration(const voyager::IterationRow& begun) {
  status_.on_iteration(begun);
  draw();
}

void TerminalView::on_call(voyager::Role role, std::string_view model) {
  status_.on_call(role, model);
  draw();
}

void TerminalView::on_piece(std::string_view piece) {
  status_.on_piece(piece);
  draw_soon();
}

void TerminalView::on_answer(const voyager::CallRow& call) {
  status_.on_answer(call);
  draw();
}

void TerminalView::on_code(const voyager::StepRow& code) {
  status_.on_code(code);
  draw();
}

void TerminalView::on_world(voyager::Environment& world) {
  if (seconds_since(drawn_) < kDrawEvery) return;
  status_.on_world(world);
  take_map(world);
  draw();
}

void TerminalView::on_step(const voyager::StepRow& ended, voyager::Environment& world) {
  status_.on_step(ended, world);
  take_map(world);
  draw();
}

void TerminalView::on_verdict(const voyager::StepRow& judged) {
  status_.on_verdict(judged);
  draw();
}

void TerminalView::on_end(const voyager::IterationRow& ended) {
  status_.on_end(ended);
  draw();
}

void TerminalView::take_map(voyager::Environment& world) {
  if (map_room(screen_size(colors_)).columns > 0) map_ = world.map(2 * kBlocksAround + 1, kBlocksAround);
}

void TerminalView::draw() {
  const ScreenSize screen = screen_size(colors_);
  std::string frame = "\x1b[H";
  for (const std::string& line : voyage_screen(status_, run_, map_, screen)) {
    if (frame.size() > 3) frame += "\r\n";
    frame += line;
  }
  show_now(frame + "\x1b[J");
  drawn_ = Clock::now();
}

void TerminalView::draw_soon() {
  if (seconds_since(drawn_) >= kDrawEvery) draw();
}

}  // namespace caravel::cli
