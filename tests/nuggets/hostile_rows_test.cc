#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>

#include "rows_as_text.h"

// Files that were made to break a reader. Each is read in time in proportion to its size, which the time limits below
// exceed some fifty times.

namespace caravel::nuggets {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kGood = "{\"prompt\": \"a\", \"completion\": \"b\"}";
constexpr size_t kMegabyte = 1 << 20;

std::string repeat(std::string_view text, size_t count) {
  std::string all;
  all.reserve(text.size() * count);
  while (count-- > 0) all += text;
  return all;
}

class HostileRows : public testing::Test {
 protected:
  ~HostileRows() override { EXPECT_LT(std::chrono::steady_clock::now() - begin_, std::chrono::seconds(60)); }

  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

TEST_F(HostileRows, ALineOfFiftyMegabytes) {
  const std::string row = "{\"prompt\": \"" + std::string(50 * kMegabyte, 'a') + "\", \"completion\": \"b\"}";
  EXPECT_THAT(problems_of(read_text(std::string(kGood) + "\n" + row + "\n")),
              ElementsAre("2: it has more than 8 MiB, more than any context holds"));
  EXPECT_THAT(problems_of(read_text("[" + row + ",\n" + kGood + "]")),
              ElementsAre("1: it has more than 8 MiB, more than any context holds"));
  const RowFile csv = read_text("prompt,completion\n" + std::string(50 * kMegabyte, 'a') + ",b\nc,d\n");
  EXPECT_THAT(problems_of(csv), ElementsAre("2: it has more than 8 MiB, more than any context holds"));
  EXPECT_THAT(turns_of(csv), ElementsAre("user:c>d"));
}

TEST_F(HostileRows, OneCharacterOverAndOver) {
  for (const char c : {'a', '{', '[', '"', '}', '\\', '\0', '\xFF'}) {
    const std::string all(4 * kMegabyte, c);
    const RowFile file = read_text(fmt::format("{}\n{}\n", kGood, all));
    ASSERT_EQ(file.problems().size(), 1);
    EXPECT_LT(file.problems()[0].what.size(), 400);
    EXPECT_GE(read_text(fmt::format("[{},{}]", kGood, all)).problems().size(), 1);
    EXPECT_EQ(read_text(fmt::format("prompt,completion\na,b\n{}\n", all)).problems().size(), 1);
  }
}

TEST_F(HostileRows, ARowNestedDeeply) {
  const std::string deep = repeat("[", 100'000) + repeat("]", 100'000);
  const std::string row = "{\"prompt\": \"x\", \"completion\": " + deep + "}";
  for (const std::string& text : {std::string(kGood) + "\n" + row, "[" + std::string(kGood) + ",\n" + row + "]"}) {
    const RowFile file = read_text(text);
    EXPECT_THAT(problems_of(file), ElementsAre("2: it is nested deeper than 1000 levels"));
    EXPECT_EQ(file.rows().size(), 1);
  }
}

TEST_F(HostileRows, ATreeAsDeepAsItMayBe) {
  const auto tree = [](size_t messages) {
    std::string text;
    for (size_t i = 0; i < messages; ++i) {
      text += std::string("{\"text\": \"t\", \"role\": \"") + (i % 2 == 0 ? "prompter" : "assistant") +
              "\", \"replies\": [";
    }
    return "{\"prompt\": " + text + repeat("]}", messages) + "}\n";
  };
  const RowFile file = read_text(tree(499) + tree(501));
  EXPECT_EQ(file.turn_count(), 249);
  EXPECT_EQ(file.rows()[0].turns.back().path().size(), 497);
  EXPECT_THAT(problems_of(file), ElementsAre("2: it is nested deeper than 1000 levels"));
}

TEST_F(HostileRows, LongLists) {
  const std::string scalars = repeat("1,", 2'000'000) + "1";
  EXPECT_THAT(turns_of(read_text("{\"prompt\": \"a\", \"completion\": \"b\", \"x\": [" + scalars + "]}")),
              ElementsAre("user:a>b"));
  EXPECT_THAT(refusal_of("[" + repeat("1,", 5'000'000) + "1]"), HasSubstr("no row can be read"));
  EXPECT_THAT(problems_of(read_text("[" + std::string(kGood) + "," + scalars + "]")),
              ElementsAre("1: it is not a JSON object"));
  EXPECT_EQ(read_text(kGood + repeat("\n1", 2'000'000)).problems().size(), RowFile::kMaxProblems);
}

TEST_F(HostileRows, AConversationOfManyTurns) {
  const std::string turn = "{\"from\": \"human\", \"value\": \"q\"}, {\"from\": \"gpt\", \"value\": \"a\"}";
  const RowFile file = read_text("{\"conversations\": [" + repeat(turn + ", ", 50'000) + turn + "]}");
  EXPECT_EQ(file.turn_count(), 50'001);
  EXPECT_EQ(file.rows()[0].turns.back().path().size(), 100'001);
}

TEST_F(HostileRows, EveryRowIsBroken) {
  EXPECT_THAT(problems_of(read_text("[" + std::string(kGood) + repeat(",{\"prompt\": [", 500'000))),
              testing::Contains(StartsWith("1: too much is broken to tell rows apart")));
  const RowFile lines =
      read_text("[\n" + std::string(kGood) + ",\n" + repeat("{\"prompt\": \"x,\n", 50'000) + kGood + "]");
  EXPECT_EQ(lines.row_count(), 50'002);
  EXPECT_THAT(turns_of(read_text("prompt,completion\nc,d\n" + repeat("\"a\n", 100'000))), ElementsAre("user:c>d"));
  EXPECT_THAT(turns_of(read_text("prompt,completion\nc,d\n" + repeat("x,\"\"\"\"\"\"\"y\n", 100'000))),
              ElementsAre("user:c>d"));
}

}  // namespace
}  // namespace caravel::nuggets
