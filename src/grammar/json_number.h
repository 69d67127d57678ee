#pragma once

#include <optional>
#include <string>
#include <vector>

#include "grammar/expr.h"
#include "grammar/json_text.h"

namespace caravel::grammar {

/// A number as it is written, exactly: [-]integer.fraction.
struct Decimal {
  bool negative = false;
  std::string integer = "0";  // no leading zeros
  std::string fraction = "";  // no trailing zeros

  bool is_zero() const { return integer == "0" && fraction.empty(); }
  std::string text() const;
};

bool is_number(const Json& value);
/// A JSON number, exactly as it is written. Throws Unsupported where it would take more than 1000 zeros to write it
/// out.
Decimal decimal_of(const Json& number);
/// Below 0, 0 or above, as a - b is.
int compare(const Decimal& a, const Decimal& b);
/// Throws Unsupported, with `place`, for a multipleOf of too many digits.
void check_divisor(const Decimal& divisor, const std::string& place);
/// `b` is positive, and was checked.
bool is_multiple(const Decimal& a, const Decimal& b);

struct Bound {
  Decimal value;
  bool exclusive = false;
};

struct NumberLimits {
  bool integer = false;   // written without fraction and exponent
  bool fraction = false;  // those that are no integers
  std::optional<Bound> minimum = {};
  std::optional<Bound> maximum = {};
  std::vector<Decimal> multiple_of = {};  // positive, and checked
};

/// Of a bound, before its point or behind it.
inline constexpr size_t kMaxBoundDigits = 60;

/// Integers have at most 19 digits, others 18 before and 17 after the point and two in the exponent; but with limits on
/// a fraction at most 15 in all and no exponent, so that reading them as a double changes no comparison. Only where the
/// bounds, of kMaxBoundDigits at most, leave none of these have they more: zeros first. A regular expression's machine
/// that accepts nothing where there is no number.
ExprPtr json_number(const NumberLimits& limits);

}  // namespace caravel::grammar
