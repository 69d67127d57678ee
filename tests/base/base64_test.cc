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

TEST(Base64, GivesTheBytesAgain) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(from_base64(base64(bytes)), bytes);
    bytes += static_cast<char>(i * 7);
  }
  for (const char* const none :
       {"Z", "Zg=", "Zg", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm-v", "Zm 9"})
    EXPECT_FALSE(from_base64(none)) << none;
}

}  // namespace
}  // namespace caravel
