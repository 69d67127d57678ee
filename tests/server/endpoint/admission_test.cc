#include "server/endpoint/admission.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace caravel::server {
namespace {

using Ticket = Admission::Ticket;

TEST(Admission, APreparationBecomesWhatItSubmits) {
  Admission admission;
  Ticket one(admission);
  EXPECT_EQ(admission.waiting(), 0);
  EXPECT_TRUE(one.take(1, 3));
  {
    Ticket other(admission);
    EXPECT_TRUE(other.take(1, 3));
    EXPECT_FALSE(other.take(3, 3)) << "with the other's it would be four";
    EXPECT_EQ(admission.waiting(), 2) << "it keeps what it has";
    EXPECT_TRUE(other.take(2, 3));
    EXPECT_EQ(admission.waiting(), 3);
    EXPECT_FALSE(Ticket(admission).take(1, 3));
    other.one_started();
    EXPECT_EQ(admission.waiting(), 2);
    EXPECT_TRUE(Ticket(admission).take(1, 3));
  }
  EXPECT_EQ(admission.waiting(), 1);
  EXPECT_TRUE(one.take(1000, 3)) << "nobody else waits";
  EXPECT_FALSE(Ticket(admission).take(1, 3));
}

TEST(Admission, NoPlaceIsLostOrGivenTwice) {
  Admission admission;
  constexpr int kLimit = 20;
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (int i = 0; i < 5000; ++i) {
        Ticket ticket(admission);
        if (!ticket.take(1, kLimit)) continue;
        const int count = 1 + static_cast<int>(random() % 6);
        if (!ticket.take(count, kLimit)) continue;
        EXPECT_LE(admission.waiting(), kLimit);
        for (int j = static_cast<int>(random() % 6); j > 5 - count; --j) ticket.one_started();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(admission.waiting(), 0);
}

}  // namespace
}  // namespace caravel::server
