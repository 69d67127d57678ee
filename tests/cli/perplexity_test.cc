#include "cli/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace caravel::cli {
namespace {

TEST(Perplexity, IsTheMeansExponentialWithItsStandardError) {
  Perplexity perplexity;
  perplexity.add(std::vector<float>{-1, -2});
  perplexity.add(std::vector<float>{-3});
  EXPECT_EQ(3, perplexity.tokens());
  EXPECT_DOUBLE_EQ(2, perplexity.mean_nll());
  EXPECT_DOUBLE_EQ(std::exp(2.0), perplexity.value());
  // Variance 2/3 over the tokens, of their mean a half of it.
  EXPECT_NEAR(std::exp(2.0) * std::sqrt(1.0 / 3), perplexity.standard_error(), 1e-12);
}

TEST(Perplexity, EquallyLikelyTokensHaveNoError) {
  Perplexity perplexity;
  perplexity.add(std::vector<float>(1000, -0.1F));
  EXPECT_NEAR(0, perplexity.standard_error(), 1e-6);
}

TEST(Perplexity, OneTokenSaysNothingOfTheError) {
  Perplexity perplexity;
  perplexity.add(std::vector<float>{-1});
  EXPECT_TRUE(std::isnan(perplexity.standard_error()));
}

}  // namespace
}  // namespace caravel::cli
