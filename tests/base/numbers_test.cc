#include "base/numbers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>

namespace caravel {
namespace {

TEST(Numbers, WholeTextOrNothing) {
  EXPECT_EQ(parse_number<int>("42"), 42);
  EXPECT_EQ(parse_number<int>("-42"), -42);
  EXPECT_EQ(parse_number<int>("007"), 7);
  for (const char* text : {"", "-", "+42", " 42", "42 ", "42x", "4.2", "0x2A", "4_2", "--42"}) {
    EXPECT_FALSE(parse_number<int>(text)) << "'" << text << "'";
  }
  EXPECT_FALSE(parse_number<int>(std::string_view("4\0002", 3)));
  EXPECT_FALSE(parse_number<int>(std::string_view()));
  EXPECT_EQ(parse_number<int>(std::string_view("425").substr(0, 2)), 42) << "it reads past the end of its text";
}

TEST(Numbers, ASignNeedsASignedType) {
  EXPECT_FALSE(parse_number<unsigned>("-1"));
  EXPECT_FALSE(parse_number<uint16_t>("-0"));
}

TEST(Numbers, WhatTheTypeCannotHoldIsNothing) {
  EXPECT_EQ(parse_number<uint8_t>("255"), 255);
  EXPECT_FALSE(parse_number<uint8_t>("256"));
  EXPECT_EQ(parse_number<int64_t>("-9223372036854775808"), INT64_MIN);
  EXPECT_FALSE(parse_number<int64_t>("9223372036854775808"));
  EXPECT_EQ(parse_number<uint64_t>("18446744073709551615"), UINT64_MAX);
  EXPECT_FALSE(parse_number<uint64_t>("18446744073709551616"));
  EXPECT_FALSE(parse_number<double>("1e400"));
  EXPECT_FALSE(parse_number<double>("1e-400"));
  EXPECT_FALSE(parse_number<float>("1e39"));
}

TEST(Numbers, OtherBases) {
  EXPECT_EQ(parse_number<uint16_t>("dEad", 16), 0xDEAD);
  EXPECT_EQ(parse_number<int>("777", 8), 0777);
  EXPECT_FALSE(parse_number<int>("8", 8));
  EXPECT_FALSE(parse_number<int>("0x1F", 16));
}

TEST(Numbers, HexadecimalDigits) {
  for (int code = 0; code < 256; ++code) {
    const char c = static_cast<char>(code);
    EXPECT_EQ(hex_digit(c), parse_number<int>(std::string_view(&c, 1), 16).value_or(-1)) << code;
  }
}

TEST(Numbers, FloatingPoint) {
  EXPECT_EQ(parse_number<double>("0.1"), 0.1);
  EXPECT_EQ(parse_number<float>("0.1"), 0.1f);
  EXPECT_EQ(parse_number<double>("-2.5e-3"), -2.5e-3);
  EXPECT_EQ(parse_number<double>("7"), 7.0);
  EXPECT_EQ(parse_number<double>(".5"), 0.5);
  EXPECT_TRUE(std::isinf(parse_number<double>("inf").value()));
  EXPECT_TRUE(std::isnan(parse_number<double>("nan").value()));
  for (const char* text : {"", ".", "1.5s", " 1", "1,5", "+1", "0x1p3"}) {
    EXPECT_FALSE(parse_number<double>(text)) << "'" << text << "'";
  }
}

}  // namespace
}  // namespace caravel
