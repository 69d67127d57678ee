#include "http/deadlines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace caravel::http {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

/// Deadlines on a loop of the test's, and which have passed.
struct Watched {
  asio::io_context context{1};
  std::vector<Deadline> passed;
  std::shared_ptr<Deadlines> deadlines =
      std::make_shared<Deadlines>(context, [this](Deadline deadline) { passed.push_back(deadline); });

  void set_in(Deadline deadline, milliseconds time) { deadlines->set(deadline, Clock::now() + time); }
  /// Until no timer runs.
  void run() {
    context.restart();
    context.run();
  }
};

TEST(Deadlines, PassOnceInTheirOrderAndNotBeforeTheirTime) {
  Watched watched;
  const auto begin = Clock::now();
  watched.set_in(Deadline::kTaken, milliseconds(60));
  watched.set_in(Deadline::kArrived, milliseconds(20));
  watched.set_in(Deadline::kWake, milliseconds(40));
  watched.run();
  EXPECT_THAT(watched.passed, ElementsAre(Deadline::kArrived, Deadline::kWake, Deadline::kTaken));
  EXPECT_GE(Clock::now() - begin, milliseconds(60));
}

TEST(Deadlines, AreTheLastThatWereSet) {
  Watched watched;
  watched.set_in(Deadline::kArrived, milliseconds(10));
  watched.set_in(Deadline::kWake, milliseconds(10));
  watched.set_in(Deadline::kTaken, milliseconds(10));
  const auto begin = Clock::now();
  watched.set_in(Deadline::kArrived, milliseconds(60));  // put off
  watched.deadlines->drop(Deadline::kTaken);
  watched.set_in(Deadline::kWake, milliseconds(1));  // sooner
  watched.run();
  EXPECT_THAT(watched.passed, ElementsAre(Deadline::kWake, Deadline::kArrived));
  EXPECT_GE(Clock::now() - begin, milliseconds(60));
}

TEST(Deadlines, CanBeSetAfterAllWereDropped) {
  Watched watched;
  watched.set_in(Deadline::kArrived, milliseconds(1));
  watched.deadlines->drop_all();
  watched.run();
  EXPECT_THAT(watched.passed, ElementsAre());
  watched.set_in(Deadline::kWake, milliseconds(5));
  watched.run();
  EXPECT_THAT(watched.passed, ElementsAre(Deadline::kWake));
}

TEST(Deadlines, NonePassesWhenTheirOwnerHasGone) {
  Watched watched;
  watched.set_in(Deadline::kArrived, milliseconds(1));
  std::this_thread::sleep_for(milliseconds(5));
  watched.deadlines.reset();
  watched.run();
  EXPECT_THAT(watched.passed, ElementsAre());
}

}  // namespace
}  // namespace caravel::http
