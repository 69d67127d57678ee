#include "base/near_miss.h"

#include <gtest/gtest.h>

namespace caravel {
namespace {

TEST(NearMiss, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("SmolLM2", "smollm2"), 0U);
  EXPECT_EQ(edit_distance("smolml2", "smollm2"), 1U);
  EXPECT_EQ(edit_distance("ab", "ba"), 1U);
  EXPECT_EQ(edit_distance("abcd", "badc"), 2U);
}

TEST(NearMiss, TheNearestIsMeant) {
  const std::vector<std::string> names = {"serve", "generate", "score", "top-k", "top-p", "max-num-seqs"};
  EXPECT_EQ(near_miss("generat", names), "generate");
  EXPECT_EQ(near_miss("genarete", names), "generate");
  EXPECT_EQ(near_miss("server", names), "serve");
  EXPECT_EQ(near_miss("max-num-seq", names), "max-num-seqs");
  EXPECT_EQ(near_miss("scroe", names), "score");
  EXPECT_EQ(near_miss("scar", names), "");  // two of five: too little is left of it
  EXPECT_EQ(near_miss("zzzzz", names), "");
  EXPECT_EQ(near_miss("", names), "");
}

TEST(NearMiss, ABeginningIsMeantWhereItIsOneNamesAlone) {
  const std::vector<std::string> names = {"generate", "top-k", "top-p"};
  EXPECT_EQ(near_miss("gen", names), "generate");
  EXPECT_EQ(near_miss("ge", names), "");
  EXPECT_EQ(near_miss("top", names), "");
}

TEST(NearMiss, LongTextsAreNoNames) {
  EXPECT_EQ(near_miss(std::string(1'000'000, 'a'), {std::string(1'000'000, 'a')}), "");
}

}  // namespace
}  // namespace caravel
