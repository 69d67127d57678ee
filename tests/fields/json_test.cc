#include "fields/json.h"

#include <gtest/gtest.h>

#include <string>

#include "base/wide_integer.h"
#include "fields/fields.h"

namespace caravel {
namespace {

TEST(ParseJson, IntegersOfAnyWidthAreWrittenAsTheyWere) {
  for (const char* text :
       {"9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
        "-9223372036854775808", "-9223372036854775809", "123456789012345678901234567890123456789012345678901234567890",
        R"({"maximum":340282366920938463463374607431768211455,"minimum":-340282366920938463463374607431768211456})",
        R"([1,[18446744073709551616,"18446744073709551616"],{"a":null,"b":[],"c":{},"d":1.5}])"}) {
    EXPECT_EQ(to_text(parse_json(text)), text);
  }
  EXPECT_TRUE(is_wide_integer(parse_json("18446744073709551616")));
  EXPECT_FALSE(is_wide_integer(parse_json("18446744073709551615")));
  EXPECT_TRUE(parse_json("1e30").is_number_float());
  EXPECT_TRUE(parse_json("100000000000000000000.0").is_number_float());
}

TEST(ParseJson, WideIntegersStandBesideTextsThatAreNoUtf8) {
  const Json json = Json::array({"\xff", wide_integer("-18446744073709551616")});
  EXPECT_EQ(to_text(json), "[\"\xef\xbf\xbd\",-18446744073709551616]");
}

std::string complaint(const Json& value, int64_t low, int64_t high) {
  try {
    as_integer(value, "n", low, high);
  } catch (const FieldError& error) {
    return error.code + " " + error.what();
  }
  return "taken";
}

TEST(AsInteger, WideOnesAreOutOfRange) {
  EXPECT_EQ(complaint(parse_json("100000000000000000000"), 1, 128),
            "integer_above_max_value Invalid 'n': integer above maximum value. Expected a value <= 128, but got "
            "100000000000000000000 instead.");
  EXPECT_EQ(complaint(parse_json("-100000000000000000000"), 1, 128),
            "integer_below_min_value Invalid 'n': integer below minimum value. Expected a value >= 1, but got "
            "-100000000000000000000 instead.");
}

TEST(AsNumber, WideIntegersAreNumbers) {
  EXPECT_EQ(as_number(parse_json("100000000000000000000"), "x"), 1e20);
  EXPECT_THROW(as_number(parse_json("100000000000000000000"), "x", 0, 2), FieldError);
  EXPECT_THROW(as_string(parse_json("100000000000000000000"), "x"), FieldError);
}

}  // namespace
}  // namespace caravel
