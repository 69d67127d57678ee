#include "base/byte_size.h"

#include <gtest/gtest.h>

namespace caravel {
namespace {

TEST(ByteSize, UnitsArePowersOf1024) {
  EXPECT_EQ(parse_byte_size("80GiB"), int64_t{80} << 30);
  EXPECT_EQ(parse_byte_size("2 gb"), int64_t{2} << 30);
  EXPECT_EQ(parse_byte_size("7K"), 7 << 10);
  EXPECT_EQ(parse_byte_size("100b"), 100);
  EXPECT_EQ(parse_byte_size("0"), 0);
}

TEST(ByteSize, ABareNumberIsInTheUnitThatIsGiven) {
  EXPECT_EQ(parse_byte_size("3"), 3);
  EXPECT_EQ(parse_byte_size("3", 1 << 20), 3 << 20);
  EXPECT_EQ(parse_byte_size("3b", 1 << 20), 3);
}

TEST(ByteSize, AnythingElseIsNothing) {
  for (const char* const text : {"", "GiB", "-1", "1.5GiB", "3x", "3gig", "9999999999999GiB", "99999999999999999999"}) {
    EXPECT_EQ(parse_byte_size(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace caravel
