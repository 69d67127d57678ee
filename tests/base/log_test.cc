#include "base/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace caravel::log {
namespace {

/// What is written to stderr while `action` runs.
template <typename Action>
std::string written(Action action) {
  testing::internal::CaptureStderr();
  action();
  return testing::internal::GetCapturedStderr();
}

class Log : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    testing::internal::CaptureStderr();  // not the terminal, which gets colours
    init("warning");
    testing::internal::GetCapturedStderr();
  }
  void TearDown() override { set_format(Format::kText); }
};

TEST_F(Log, JsonIsOneObjectALineWhateverTheMessageHolds) {
  set_format(Format::kJson);
  const std::string lines = written([] {
    warn("a \"quoted\"\nline \x1b[31m of {}", "\xff");
    tell(spdlog::level::info, "what is told\nwhatever the level");
    info("below the level");
  });
  ASSERT_EQ(2, std::ranges::count(lines, '\n')) << lines;
  const auto first = nlohmann::json::parse(lines.substr(0, lines.find('\n')));
  EXPECT_EQ(3U, first.size());
  EXPECT_EQ("warning", first["level"]);
  EXPECT_EQ("a \"quoted\"\nline \x1b[31m of \xef\xbf\xbd", first["message"]);
  EXPECT_EQ('Z', first["time"].get<std::string>().back());
  const auto second = nlohmann::json::parse(lines.substr(lines.find('\n') + 1));
  EXPECT_EQ("info", second["level"]);
  EXPECT_EQ("what is told\nwhatever the level", second["message"]);
}

TEST_F(Log, TextIsForPeople) {
  EXPECT_EQ("[warning] of 3\ncaravel: told\n", written([] {
              warn("of {}", 3);
              tell(spdlog::level::err, "told");
            }));
}

TEST(LogTime, IsUtcToTheMillisecond) {
  EXPECT_EQ("2023-11-14T22:13:20.123Z",
            timestamp(std::chrono::system_clock::time_point(std::chrono::milliseconds(1'700'000'000'123))));
}

}  // namespace
}  // namespace caravel::log
