#include "base/philox.h"

#include <gtest/gtest.h>

#include <set>

namespace caravel {
namespace {

using Words = std::array<uint32_t, 4>;

// The known answers of the paper's own library (Random123).
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, EveryPartOfThePlaceCounts) {
  std::set<double> values;
  for (const uint64_t seed : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32}) {
    for (const uint32_t sequence : {0U, 1U}) {
      for (const uint64_t position : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32}) {
        const double u = uniform(seed, sequence, position);
        EXPECT_GE(u, 0);
        EXPECT_LT(u, 1);
        values.insert(u);
      }
    }
  }
  EXPECT_EQ(values.size(), 18U);
}

TEST(Philox, MeanAndVarianceAreUniform) {
  constexpr int kDraws = 100'000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = uniform(7, 0, static_cast<uint64_t>(i));
    sum += u;
    squares += u * u;
  }
  const double mean = sum / kDraws;
  EXPECT_NEAR(mean, 0.5, 0.005);  // five standard errors
  EXPECT_NEAR(squares / kDraws - mean * mean, 1.0 / 12, 0.002);
}

}  // namespace
}  // namespace caravel
