#include "cli/voyage/voyage_screen.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "cli/voyage/text_columns.h"

namespace caravel::cli {
namespace {

constexpr const char* kBold = "\x1b[1m";
constexpr const char* kDim = "\x1b[2m";
constexpr const char* kReversed = "\x1b[7m";
constexpr const char* kPlain = "\x1b[0m";

std::string styled(const char* style, const std::string& text) { return style + text + kPlain; }

std::string clock_text(double seconds) {
  const auto whole = static_cast<int64_t>(seconds);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

/// A part of the left side: a heading, and lines of which the last are shown where they are too many.
struct Section {
  std::string title;
  std::vector<std::string> lines;
  size_t rows = 0;
};

std::vector<std::string> feedback_lines(const VoyageStatus& status, size_t columns) {
  std::vector<std::string> lines;
  const auto add = [&](const std::string& text) {
    for (std::string& line : wrapped_lines(text, columns)) lines.push_back(std::move(line));
  };
  if (!status.step) return lines;
  for (const voyager::Event& event : status.step->events) add(event_text(event));
  if (status.step->error) add(error_text(*status.step->error));
  if (status.step->judged) {
    const std::string world = !status.step->checked                           ? ""
                              : *status.step->checked == *status.step->judged ? " (the world agrees)"
                                                                              : " (the world does not agree)";
    add((*status.step->judged ? "critic: done" : "critic: not done") + world);
    if (!status.step->critique.empty()) add(status.step->critique);
  }
  return lines;
}

std::string code_title(const VoyageStatus& status) {
  if (!status.step) return "Code";
  return fmt::format("Code, round {}{}", status.step->round, status.is_running ? ": it runs" : "");
}

std::string answer_title(const VoyageStatus& status) {
  if (status.model.empty()) return "Model";
  return status.role ? fmt::format("{} asks {}", voyager::role_name(*status.role), status.model)
                     : fmt::format("{} has answered", status.model);
}

/// `rows` for all sections: each has a heading and what it wants, as far as there is room; what is left goes to the
/// last.
void share_rows(std::span<Section> sections, size_t rows) {
  size_t left = rows - std::min(rows, sections.size());
  for (size_t i = 0; i + 1 < sections.size(); ++i) {
    const size_t share = left / (sections.size() - i);
    sections[i].rows = std::min(sections[i].lines.size(), i == 0 ? left / 2 : share);
    left -= sections[i].rows;
  }
  sections.back().rows = left;
}

std::vector<std::string> left_side(const VoyageStatus& status, size_t columns, size_t rows) {
  std::vector<std::string> lines;
  lines.push_back(
      styled(kBold, in_columns(status.iteration.number == 0 ? status.beginning : status.iteration.task, columns)));
  if (rows > 12) lines.push_back(styled(kDim, in_columns(status.iteration.reason, columns)));
  Section sections[] = {
      {code_title(status), status.step ? wrapped_lines(status.step->code, columns) : std::vector<std::string>()},
      {"What came of it", feedback_lines(status, columns)},
      {answer_title(status), wrapped_lines(status.answer, columns)}};
  share_rows(sections, rows - lines.size());
  for (size_t i = 0; i < std::size(sections); ++i) {
    const Section& section = sections[i];
    lines.push_back(styled(kDim, in_columns("── " + section.title + " ", columns)));
    const size_t shown = std::min(section.rows, section.lines.size());
    // Code is read from its beginning; of what comes in, the end is new.
    const size_t first = i == 0 ? 0 : section.lines.size() - shown;
    for (size_t row = 0; row < section.rows; ++row) {
      lines.push_back(in_columns(row < shown ? section.lines[first + row] : "", columns));
    }
  }
  lines.resize(rows, std::string(columns, ' '));
  return lines;
}

std::vector<std::string> right_side(const VoyageStatus& status, const voyager::MapImage& map, const MapRoom& room,
                                    size_t rows, Colors colors) {
  std::vector<std::string> lines = map_cells(map, status.player.position, room.columns, room.rows, colors);
  lines.resize(room.rows, std::string(room.columns, ' '));
  const voyager::Observation& player = status.player;
  lines.push_back(in_columns(fmt::format("{:.0f}, {:.0f}, {:.0f}  {}  {}", player.position.x, player.position.y,
                                         player.position.z, player.biome, player.time_of_day),
                             room.columns));
  lines.push_back(in_columns(fmt::format("health {:.0f}  food {:.0f}  {}", player.health, player.food,
                                         player.equipment.contains("hand") ? player.equipment.at("hand") : ""),
                             room.columns));
  std::string items;
  for (const auto& [name, count] : player.inventory)
    items += fmt::format("{}{} {}", items.empty() ? "" : "  ", count, name);
  for (const std::string& line : wrapped_lines(items, room.columns)) lines.push_back(in_columns(line, room.columns));
  lines.resize(rows, std::string(room.columns, ' '));
  return lines;
}

}  // namespace

MapRoom map_room(const ScreenSize& screen) {
  constexpr size_t kLeastColumns = 72, kLeastRows = 14;
  if (screen.columns < kLeastColumns || screen.rows < kLeastRows) return {};
  const size_t columns = std::min<size_t>(screen.columns / 3, 64);
  // Cells are twice as high as wide: as many blocks down as across, but for the inventory's rows.
  return {columns, std::min(columns / 2, screen.rows - 8)};
}

std::vector<std::string> voyage_screen(const VoyageStatus& status, const std::string& run, const voyager::MapImage& map,
                                       const ScreenSize& screen) {
  const std::string head =
      fmt::format(" caravel voyage  {}  task {} of {}  {} done, {} failed  {}", run, status.iteration.number,
                  status.iterations, status.done, status.failed, clock_text(seconds_since(status.begin)));
  const std::string foot = status.is_ending ? " ends with what is under way; ctrl-C again ends at once"
                                            : fmt::format(" {}  {}", status.reached(), status.spent());
  std::vector<std::string> lines = {styled(kReversed, in_columns(head, screen.columns))};
  const size_t body = screen.rows - std::min<size_t>(screen.rows, 2);
  const MapRoom room = map_room(screen);
  if (body >= 6) {
    const size_t columns = room.columns == 0 ? screen.columns : screen.columns - room.columns - 1;
    std::vector<std::string> left = left_side(status, columns, body);
    if (room.columns > 0) {
      const std::vector<std::string> right = right_side(status, map, room, body, screen.colors);
      for (size_t i = 0; i < body; ++i) left[i] += " " + right[i];
    }
    lines.insert(lines.end(), left.begin(), left.end());
  } else {
    if (body > 0) lines.push_back(in_columns(status.iteration.task, screen.columns));
    lines.resize(1 + body, std::string(screen.columns, ' '));
  }
  if (screen.rows > 1) lines.push_back(styled(kReversed, in_columns(foot, screen.columns)));
  return lines;
}

}  // namespace caravel::cli
