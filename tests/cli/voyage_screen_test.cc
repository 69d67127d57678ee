#include "cli/voyage/voyage_screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "cli/voyage/text_columns.h"
#include "fixtures.h"

namespace caravel::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(TextColumns, FillAndCut) {
  EXPECT_EQ(in_columns("log", 5), "log  ");
  EXPECT_EQ(in_columns("stone", 5), "stone");
  EXPECT_EQ(in_columns("stones", 5), "ston…");
  EXPECT_EQ(in_columns("木木木", 6), "木木木");
  EXPECT_EQ(in_columns("木木木", 5), "木木…");
  EXPECT_EQ(in_columns("木木木", 4), "木… ");
  EXPECT_EQ(in_columns("e\u0301e", 2), "e\u0301e");
  EXPECT_EQ(in_columns("a", 0), "");
}

TEST(TextColumns, LetNothingMoveTheCursor) {
  EXPECT_EQ(in_columns("a\x1b[2Jb\rc\n\x7f\xff\u0085\u202Ed", 14), "a?[2Jb?c?????d");
  EXPECT_EQ(in_columns("\tx", 4), "  x ");
}

TEST(TextColumns, BreakAtSpacesAndElsewhere) {
  EXPECT_THAT(wrapped_lines("mine a wood log", 8), ElementsAre("mine a", "wood log"));
  EXPECT_THAT(wrapped_lines("abcdefghij", 4), ElementsAre("abcd", "efgh", "ij"));
  EXPECT_THAT(wrapped_lines("  local a\r\n\nend\n", 20), ElementsAre("  local a", "", "end"));
  EXPECT_THAT(wrapped_lines("", 4), ElementsAre());
}

voyager::MapImage two_by_two() {
  // Water, grass; stone, nothing seen.
  return {.width = 2, .height = 2, .rgb = {30, 60, 200, 40, 160, 40, 120, 120, 120, 0, 0, 0}, .left = -1, .top = -1};
}

TEST(MapCells, HaveTwoPixelsInColours) {
  const voyager::Position far{.x = 100, .z = 100};
  EXPECT_THAT(map_cells(two_by_two(), far, 2, 1, Colors::kTrue),
              ElementsAre("\x1b[38;2;30;60;200m\x1b[48;2;120;120;120m▀\x1b[38;2;40;160;40m\x1b[48;2;0;0;0m▀\x1b[0m"));
  EXPECT_THAT(map_cells(two_by_two(), far, 2, 1, Colors::k256).front(), HasSubstr("\x1b[38;5;26m\x1b[48;5;102m▀"));
}

TEST(MapCells, AreLettersWithoutColours) {
  EXPECT_THAT(map_cells(two_by_two(), {.x = 0.5, .z = 0.5}, 4, 2, Colors::kNone), ElementsAre("~~\"\"", "## @"));
  EXPECT_TRUE(map_cells({}, {}, 4, 2, Colors::kNone).empty());
}

/// A record that nothing was written to.
class VoyageScreen : public testing::Test {
 protected:
  VoyageScreen() : folder_(tests::temporary_path("voyage-screen")) {}
  ~VoyageScreen() override { std::filesystem::remove_all(folder_); }

  void begin(const voyager::IterationRow& row) { status_.take(voyager::TaskBegun{row}); }

  const std::string folder_;
  voyager::RunStore run_{folder_, voyager::RunStore::Open::kWriting};
  voyager::WorldDescription world_{.tiers = {{"wood", {"wooden_pickaxe"}}, {"stone", {"stone_pickaxe"}}}};
  VoyageStatus status_{run_, world_, 40};
};

TEST_F(VoyageScreen, NamesTheTiersThatWereReached) {
  EXPECT_EQ(status_.reached(), "0 items, no tool of wood yet, 0 skills");
  status_.items = {{"dirt", 1}, {"stone_pickaxe", 2}};
  EXPECT_EQ(status_.reached(), "2 items, tier stone, 0 skills");
  status_.items.emplace("wooden_pickaxe", 3);
  EXPECT_EQ(status_.reached(), "3 items, tiers wood, stone, 0 skills");
}

/// The columns that a line of the screen takes.
size_t columns_of_line(const std::string& line) {
  std::string shown;
  for (size_t at = 0; at < line.size(); ++at) {
    if (line[at] != '\x1b') {
      shown += line[at];
      continue;
    }
    at = line.find('m', at);
  }
  for (size_t columns = 0; columns < 400; ++columns) {
    if (in_columns(shown, columns) == shown) return columns;
  }
  return 0;
}

TEST_F(VoyageScreen, FillsAnyTerminalAndNoMore) {
  begin({.number = 3, .task = std::string(300, 'x') + "\x1b[2J", .reason = "木木木木"});
  status_.take(voyager::ModelAsked{voyager::Role::kAction, "small"});
  status_.take(voyager::AnswerPiece{std::string(5000, 'y') + "\n\n\x1b]0;title\a"});
  const voyager::StepRow code{.iteration = 3, .round = 2, .code = "function f(bot)\n\tmine()\nend\n", .main = "f"};
  status_.take(voyager::CodeWritten{code});
  for (int i = 0; i < 40; ++i) status_.player.inventory["item_" + std::to_string(i)] = i;
  for (const Colors colors : {Colors::kNone, Colors::kTrue}) {
    for (const auto& [columns, rows] : {std::pair<size_t, size_t>{80, 24},
                                        {200, 60},
                                        {72, 14},
                                        {71, 13},
                                        {30, 8},
                                        {20, 7},
                                        {10, 3},
                                        {5, 2},
                                        {4, 1}}) {
      const std::vector<std::string> lines =
          voyage_screen(status_, "run", two_by_two(), {.columns = columns, .rows = rows, .colors = colors});
      EXPECT_EQ(lines.size(), rows) << columns << " x " << rows;
      for (const std::string& line : lines) EXPECT_EQ(columns_of_line(line), columns) << line;
    }
  }
}

TEST_F(VoyageScreen, ShowsWhatHappens) {
  begin({.number = 3, .task = "Craft a pickaxe", .reason = "it has wood"});
  status_.take(voyager::ModelAsked{voyager::Role::kCritic, "small"});
  status_.take(voyager::AnswerPiece{"It seems"});
  voyager::StepRow step{.iteration = 3, .round = 2, .code = "function craft(bot)", .main = "craft"};
  step.events = {{voyager::Event::Kind::kItem, 20, "wooden_pickaxe"}};
  step.error = voyager::CodeError{.message = "no table", .where = "code", .line = 7};
  step.judged = true;
  step.checked = false;
  status_.items.emplace("wooden_pickaxe", 3);
  status_.take(voyager::CodeJudged{step});
  std::string all;
  for (const std::string& line : voyage_screen(status_, "run", {}, {.columns = 120, .rows = 40})) all += line + "\n";
  for (const char* const part :
       {"task 3 of 40", "Craft a pickaxe", "it has wood", "function craft(bot)", "Code, round 2",
        "has wooden_pickaxe for the first time", "error: code:7: no table", "critic: done (the world does not agree)",
        "critic asks small", "It seems", "1 item, tier wood, 0 skills", "0 calls, 0 tokens in, 0 out"}) {
    EXPECT_THAT(all, HasSubstr(part));
  }
}

}  // namespace
}  // namespace caravel::cli
