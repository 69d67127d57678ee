#include "base/base64.h"

#include <gtest/gtest.h>

namespace caravel {
namespace {

TEST(Base64, IsPadded) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
}

TEST(Base64, TakesAllBytes) { EXPECT_EQ(base64(std::string_view("\0\xFF\xFB\xEF\xBE\x80", 6)), "AP/7776A"); }

}  // namespace
}  // namespace caravel
