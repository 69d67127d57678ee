#include "base/float_vector.h"

#include <gtest/gtest.h>

namespace caravel {
namespace {

TEST(FloatVector, BecomesOneLong) {
  EXPECT_EQ((std::vector<float>{0.6F, -0.8F}), unit_vector({3, -4}));
  EXPECT_EQ((std::vector<float>{1, 0}), unit_vector({1e30F, 0}));  // whose square no float holds
  EXPECT_EQ((std::vector<float>{0, 0}), unit_vector({0, 0}));
}

TEST(FloatVector, BytesComeLowestFirst) {
  EXPECT_EQ(std::string("\x00\x00\x80\x3F\x00\x00\x00\xC0", 8), little_endian(std::vector<float>{1, -2}));
}

}  // namespace
}  // namespace caravel
