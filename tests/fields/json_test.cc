#include "fields/json.h"

#include <gtest/gtest.h>

#include <string>

#include "base/written_number.h"
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
  EXPECT_TRUE(is_written_integer(parse_json("18446744073709551616")));
  EXPECT_FALSE(is_written_integer(parse_json("18446744073709551615")));
  for (const char* text : {"0.1234567890123456789", "-1.00000000000000000001", "1e-400", "[123456789012345678901.5]"}) {
    EXPECT_EQ(to_text(parse_json(text)), text);
  }
  EXPECT_FALSE(is_written_integer(parse_json("0.1234567890123456789")));
  for (const char* text : {"0.30000000000000004", "1.7976931348623157e308", "0e99999999999", "0.000000000000000000"}) {
    EXPECT_TRUE(parse_json(text).is_number_float() || to_text(parse_json(text)) == text) << text;
  }
  EXPECT_TRUE(parse_json("0.30000000000000004").is_number_float());
  EXPECT_TRUE(parse_json("1e30").is_number_float());
  EXPECT_TRUE(parse_json("100000000000000000000.0").is_number_float());
}

TEST(ParseJson, WideIntegersStandBesideTextsThatAreNoUtf8) {
  const Json json = Json::array({"\xff", written_number("-18446744073709551616")});
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

TEST(AsNumber, LongOnesAreNumbers) {
  EXPECT_EQ(as_number(parse_json("0.7000000000000000001"), "x"), 0.7);
  EXPECT_EQ(as_number(parse_json("1e-400"), "x"), 0);
  EXPECT_EQ(complaint(parse_json("1.0000000000000000000001"), 1, 128),
            "invalid_type Invalid type for 'n': expected an integer, but got a decimal number instead.");
  EXPECT_EQ(as_number(parse_json("100000000000000000000"), "x"), 1e20);
  EXPECT_THROW(as_number(parse_json("100000000000000000000"), "x", 0, 2), FieldError);
  EXPECT_THROW(as_string(parse_json("100000000000000000000"), "x"), FieldError);
}

}  // namespace
}  // namespace caravel
