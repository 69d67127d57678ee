#include "nuggets/csv.h"

#include <gmock/gmock.h>

namespace caravel::nuggets {
namespace {

using testing::ElementsAre;

std::vector<std::string> cells_of(std::string_view record, char delimiter = ',') {
  std::vector<std::string> cells;
  const auto end = read_csv_record(record, 0, delimiter, &cells);
  EXPECT_EQ(end, record.size());
  return cells;
}

TEST(Csv, CellsAreReadAsRfc4180HasThem) {
  EXPECT_THAT(cells_of("a,b,"), ElementsAre("a", "b", ""));
  EXPECT_THAT(cells_of("\"a,\"\"b\"\"\",\"c\nd\r\ne\",\"\""), ElementsAre("a,\"b\"", "c\nd\r\ne", ""));
  EXPECT_THAT(cells_of("say \"hi\" , x"), ElementsAre("say \"hi\" ", " x"));
  EXPECT_THAT(cells_of("a;b,c", ';'), ElementsAre("a", "b,c"));
}

TEST(Csv, ARecordEndsAtItsLineBreak) {
  std::vector<std::string> cells;
  EXPECT_EQ(read_csv_record("a,b\r\nc", 0, ',', &cells), 3);
  EXPECT_THAT(cells, ElementsAre("a", "b"));
  EXPECT_EQ(read_csv_record("\"a\nb\"\nc", 0, ',', nullptr), 5);
  EXPECT_EQ(read_csv_record("\"a\"b,c\n", 0, ',', nullptr), std::nullopt);
  EXPECT_EQ(read_csv_record("a,\"b\n", 0, ',', nullptr), std::nullopt);
}

TEST(Csv, WrittenCellsAreReadAgain) {
  const std::vector<std::string> texts = {"",     "plain",  "a,b", "a;b", "\"", "x\"y",
                                          "a\nb", "a\r\nb", "a\r", " a",  "{",  "[1]"};
  for (const char delimiter : {',', ';', '\t'}) {
    std::string record;
    for (const std::string& text : texts) {
      record += csv_cell(text, delimiter);
      record += delimiter;
    }
    record.pop_back();
    EXPECT_EQ(cells_of(record, delimiter), texts);
  }
  EXPECT_EQ(csv_cell("as it is", ','), "as it is");
}

TEST(Csv, RowsHaveTheLinesOnWhichTheyBegin) {
  CsvRows rows("a,b\n\n\"x\ny\",1\r\n\"broken\nc,d", ',');
  std::vector<size_t> lines;
  std::vector<bool> broken;
  while (const auto row = rows.next()) {
    lines.push_back(row->line);
    broken.push_back(row->problem != nullptr);
  }
  EXPECT_THAT(lines, ElementsAre(1, 3, 5, 6));
  EXPECT_THAT(broken, ElementsAre(false, false, true, false));
}

}  // namespace
}  // namespace caravel::nuggets
