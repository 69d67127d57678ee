#include "voyager/patience.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/clock.h"
#include "base/interrupt.h"
#include "voyager/model.h"

namespace caravel::voyager {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Patience, DoublesUpToItsBound) {
  const Patience patience{.first = milliseconds(1000), .most = milliseconds(5000)};
  EXPECT_EQ(patience.after(1), milliseconds(1000));
  EXPECT_EQ(patience.after(2), milliseconds(2000));
  EXPECT_EQ(patience.after(3), milliseconds(4000));
  EXPECT_EQ(patience.after(4), milliseconds(5000));
  EXPECT_EQ(patience.after(100), milliseconds(5000));
}

TEST(Patience, ReadsWhatRetryAfterAsksFor) {
  const auto now = std::chrono::system_clock::from_time_t(784111777);  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(retry_after("2", now), milliseconds(2000));
  EXPECT_EQ(retry_after("0.5", now), milliseconds(500));
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:50:07 GMT", now), milliseconds(30'000));
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:49:07 GMT", now), milliseconds(0));
  for (const char* const odd : {"", "soon", "-3", "nan", "Sun, 06 Foo 1994 08:49:07 GMT"}) {
    EXPECT_EQ(retry_after(odd, now), std::nullopt) << odd;
  }
  EXPECT_GT(*retry_after("1e300", now), seconds(3600));
}

TEST(Patience, SaysHowOftenItWasTriedAndWhatItWasTold) {
  const Patience patience{.attempts = 3, .first = milliseconds(1)};
  std::vector<std::string> retries;
  int made = 0;
  std::vector<std::string> notes;
  const auto fails = [&]() -> std::optional<Refusal> { return Refusal{.what = "no " + std::to_string(++made)}; };
  try {
    persist(patience, "http://a", fails, retries, [&](const std::string& note) { notes.push_back(note); });
    ADD_FAILURE();
  } catch (const ModelError& error) {
    EXPECT_STREQ(error.what(), "http://a: tried 3 times: no 3");
  }
  EXPECT_EQ(retries, (std::vector<std::string>{"no 1", "no 2"}));
  EXPECT_EQ(notes.front(), "no 1; tried again in 0.0 s");
  retries.clear();
  EXPECT_THROW(persist(patience, "http://a", [] { return Refusal{.what = "key", .is_final = true}; }, retries, {}),
               ModelError);
  EXPECT_TRUE(retries.empty());
}

TEST(Patience, ObeysWhatIsAskedForUpToABound) {
  const Patience patience{.attempts = 2, .first = seconds(100), .asked = milliseconds(30)};
  std::vector<std::string> retries;
  int made = 0;
  const Clock::time_point begin = Clock::now();
  persist(patience, "a",
          [&]() -> std::optional<Refusal> {
            return made++ == 0 ? std::optional(Refusal{.what = "busy", .wait = seconds(3600)}) : std::nullopt;
          },
          retries, {});
  EXPECT_GE(seconds_since(begin), 0.03);
  EXPECT_EQ(made, 2);
}

TEST(Patience, EndsAtOnceWhenInterrupted) {
  std::atomic<bool> gone = false;
  const InterruptScope scope(gone, /*gives_way=*/false);
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(30));
    gone = true;
  });
  const Clock::time_point begin = Clock::now();
  EXPECT_THROW(sleep_for(seconds(60)), Interrupted);
  EXPECT_LT(seconds_since(begin), 10);
  other.join();
}

}  // namespace
}  // namespace caravel::voyager
