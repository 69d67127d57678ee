#include "cli/loading_note.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace caravel::cli {
namespace {

using namespace std::chrono_literals;

TEST(LoadingNote, SaysSoOnceItTakesAWhileAndWipesItself) {
  std::atomic<int> times = 0;
  std::string shown;  // read when the note has ended
  {
    const LoadingNote note(
        "a/model",
        [&](const std::string& text) {
          shown += text;
          ++times;
        },
        0ms);
    while (times == 0) std::this_thread::sleep_for(1ms);
  }
  EXPECT_THAT(shown, testing::StartsWith("\r\x1b[Kloading a/model: 0 s\r"));
  EXPECT_THAT(shown, testing::EndsWith("\r\x1b[K"));
}

TEST(LoadingNote, SaysNothingOfWhatIsQuick) {
  bool said = false;
  {
    const LoadingNote note("a/model", [&](const std::string&) { said = true; }, 1h);
  }
  EXPECT_FALSE(said);
}

}  // namespace
}  // namespace caravel::cli
