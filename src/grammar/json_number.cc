#include "grammar/json_number.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/numbers.h"
#include "base/written_number.h"
#include "grammar/regex_parser.h"

namespace caravel::grammar {
namespace {

constexpr int kMaxExponent = 1000;
constexpr int64_t kMaxModulus = 10'000;
constexpr size_t kMaxScale = 6;  // digits after the point in a multiple_of

ExprPtr digits(int min, int max) { return repeat(chars({{'0', '9'}}), min, max); }
ExprPtr any_digits() { return digits(0, kUnbounded); }
ExprPtr digit_between(char first, char last) {
  if (first > last) return choice({});
  return chars({{static_cast<char32_t>(first), static_cast<char32_t>(last)}});
}
ExprPtr any_fraction() { return optional(sequence({bytes("."), digits(1, kUnbounded)})); }

/// Not negative, without exponent.
ExprPtr any_amount() {
  return sequence({choice({bytes("0"), sequence({digit_between('1', '9'), any_digits()})}), any_fraction()});
}

/// Digits of one length with `text`, which differ from it first at a place where theirs is larger (or smaller).
/// leading: the first digit is no zero unless it is the only one.
std::vector<ExprPtr> differing(const std::string& text, bool larger, bool leading, ExprPtr (*rest)(size_t)) {
  std::vector<ExprPtr> parts;
  for (size_t i = 0; i < text.size(); ++i) {
    const char lowest = leading && i == 0 && text.size() > 1 ? '1' : '0';
    const ExprPtr digit = larger ? digit_between(static_cast<char>(text[i] + 1), '9')
                                 : digit_between(lowest, static_cast<char>(text[i] - 1));
    parts.push_back(sequence({bytes(text.substr(0, i)), digit, rest(text.size() - i - 1)}));
  }
  return parts;
}

ExprPtr exactly(size_t count) { return digits(static_cast<int>(count), static_cast<int>(count)); }
ExprPtr any_rest(size_t) { return any_digits(); }

/// The amounts at least (or more than) `bound`, whose sign is not looked at.
ExprPtr at_least(const Decimal& bound, bool exclusive) {
  std::vector<ExprPtr> integers = differing(bound.integer, true, true, exactly);
  integers.push_back(sequence({digit_between('1', '9'), digits(static_cast<int>(bound.integer.size()), kUnbounded)}));
  const ExprPtr more = sequence({any_digits(), digit_between('1', '9'), any_digits()});  // digits, not all zero
  std::vector<ExprPtr> fractions;  // what stands behind the point, the integer being the same
  for (ExprPtr& part : differing(bound.fraction, true, false, any_rest)) fractions.push_back(std::move(part));
  fractions.push_back(sequence({bytes(bound.fraction), exclusive ? more : any_digits()}));
  ExprPtr same = sequence({bytes("."), choice(std::move(fractions))});
  if (bound.fraction.empty() && !exclusive) same = any_fraction();
  return choice(
      {sequence({choice(std::move(integers)), any_fraction()}), sequence({bytes(bound.integer), std::move(same)})});
}

/// The amounts at most (or less than) it.
ExprPtr at_most(const Decimal& bound, bool exclusive) {
  std::vector<ExprPtr> integers = differing(bound.integer, false, true, exactly);
  if (bound.integer.size() > 1) {
    integers.push_back(bytes("0"));
    integers.push_back(sequence({digit_between('1', '9'), digits(0, static_cast<int>(bound.integer.size()) - 2)}));
  }
  std::vector<ExprPtr> same;  // behind the integer
  for (ExprPtr& part : differing(bound.fraction, false, false, any_rest)) {
    same.push_back(sequence({bytes("."), std::move(part)}));
  }
  for (size_t i = 1; i < bound.fraction.size(); ++i) same.push_back(bytes("." + bound.fraction.substr(0, i)));
  if (!bound.fraction.empty() || !exclusive) same.push_back(bytes(""));
  if (!exclusive) {
    const ExprPtr zeros = repeat(bytes("0"), bound.fraction.empty() ? 1 : 0, kUnbounded);
    same.push_back(sequence({bytes("." + bound.fraction), zeros}));
  }
  return choice({sequence({choice(std::move(integers)), any_fraction()}),
                 sequence({bytes(bound.integer), choice(std::move(same))})});
}

ExprPtr negative(ExprPtr amount) { return sequence({bytes("-"), std::move(amount)}); }

ExprPtr not_below(const Bound& bound) {
  if (bound.value.negative) return choice({any_amount(), negative(at_most(bound.value, bound.exclusive))});
  return at_least(bound.value, bound.exclusive);
}

ExprPtr not_above(const Bound& bound) {
  if (bound.value.negative) return negative(at_least(bound.value, bound.exclusive));
  const bool below_zero = bound.value.is_zero() && bound.exclusive;
  const ExprPtr below = negative(below_zero ? at_least({}, true) : any_amount());
  return choice({below, at_most(bound.value, bound.exclusive)});
}

int64_t shifted(int64_t remainder, size_t places, int64_t modulus) {
  for (size_t i = 0; i < places; ++i) remainder = remainder * 10 % modulus;
  return remainder;
}

/// Numbers without exponent that are multiples: their remainder is kept digit by digit.
Fsm multiples(const Decimal& divisor) {
  const int64_t modulus = parse_number<int64_t>(divisor.integer + divisor.fraction).value();  // times 10^-scale
  const size_t scale = divisor.fraction.size();
  const auto count = static_cast<int32_t>(modulus);
  Fsm fsm;
  fsm.deterministic = true;
  // [0] the start; then by remainder the integer's part; then, by digits behind the point, the fraction's.
  fsm.nodes.resize(1 + static_cast<size_t>(modulus) * (scale + 2));
  const auto node_of = [&](int64_t remainder, size_t part) {
    return 1 + static_cast<int32_t>(part) * count + static_cast<int32_t>(remainder);
  };
  const auto add_digits = [&](Fsm::Node& node, int64_t remainder, size_t part, char last) {
    for (char c = '0'; c <= last; ++c) {
      const auto byte = static_cast<uint8_t>(c);
      node.edges.push_back({byte, byte, node_of((remainder * 10 + (c - '0')) % modulus, part)});
    }
  };
  fsm.nodes[0].edges.push_back({'-', '-', node_of(0, 0)});
  add_digits(fsm.nodes[0], 0, 0, '9');
  for (int64_t r = 0; r < modulus; ++r) {
    for (size_t part = 0; part <= scale + 1; ++part) {
      Fsm::Node& node = fsm.nodes[static_cast<size_t>(node_of(r, part))];
      const size_t behind = part == 0 ? 0 : part - 1;  // digits of the fraction so far
      node.accepting = shifted(r, scale - behind, modulus) == 0;
      if (part == 0) {
        // The point counts as a part of its own, so that a digit must follow: none is accepted before.
        node.edges.push_back({'.', '.', node_of(r, 1)});
        add_digits(node, r, 0, '9');
      } else if (behind < scale) {
        add_digits(node, r, part + 1, '9');
      } else {
        node.edges.push_back({'0', '0', node_of(r, part)});
      }
    }
  }
  return fsm;
}

ExprPtr integer_syntax() { return parse_regex("-?(?:0|[1-9][0-9]{0,18})"); }

ExprPtr fifteen_digits() {
  std::vector<ExprPtr> parts;
  for (int before = 1; before <= 15; ++before) {
    const ExprPtr integer =
        before == 1 ? digits(1, 1) : sequence({digit_between('1', '9'), digits(before - 1, before - 1)});
    parts.push_back(before == 15 ? integer
                                 : sequence({integer, optional(sequence({bytes("."), digits(1, 15 - before)}))}));
  }
  return sequence({optional(bytes("-")), choice(std::move(parts))});
}

/// Few digits that count, behind or before as many zeros as bounds far from 1 take: a double still tells them apart.
ExprPtr scaled_digits(int before, int behind) {
  constexpr int kCount = 15;
  const ExprPtr large =
      sequence({digit_between('1', '9'), digits(0, kCount - 1), repeat(bytes("0"), 0, std::max(before - kCount, 0))});
  const ExprPtr small = sequence({bytes("0."), repeat(bytes("0"), 0, behind), digits(1, kCount)});
  return sequence({optional(bytes("-")), choice({large, small})});
}

ExprPtr all_digits(int before, int behind) {
  const ExprPtr integer = choice({bytes("0"), sequence({digit_between('1', '9'), digits(0, before - 1)})});
  const ExprPtr fraction = behind == 0 ? bytes("") : optional(sequence({bytes("."), digits(1, behind)}));
  return sequence({optional(bytes("-")), integer, fraction});
}

}  // namespace

std::string Decimal::text() const { return (negative ? "-" : "") + integer + (fraction.empty() ? "" : "." + fraction); }

bool is_number(const Json& value) { return value.is_number() || is_written_number(value); }

Decimal decimal_of(const Json& number) {
  const std::string written = is_written_number(number) ? written_text(number) : number.dump();
  std::string text = written;
  Decimal result;
  if (text.starts_with('-')) {
    result.negative = true;
    text.erase(0, 1);
  }
  int exponent = 0;
  if (const size_t e = text.find_first_of("eE"); e != std::string::npos) {
    const auto power = parse_number<int>(text.substr(e + (text[e + 1] == '+' ? 2 : 1)));
    text.resize(e);
    if (text.find_first_not_of("0.") == std::string::npos) return {};
    if (!power || std::abs(*power) > kMaxExponent) {
      throw fail<Unsupported>("the number {}: exponents beyond {} cannot be enforced", written.substr(0, 40),
                              kMaxExponent);
    }
    exponent = *power;
  }
  const size_t point = std::min(text.find('.'), text.size());
  std::string all = text.substr(0, point) + (point < text.size() ? text.substr(point + 1) : "");
  int before = static_cast<int>(point) + exponent;  // digits before the point
  if (before < 0) {
    all.insert(0, static_cast<size_t>(-before), '0');
    before = 0;
  }
  const auto place = static_cast<size_t>(before);
  if (place > all.size()) all.append(place - all.size(), '0');
  result.integer = all.substr(0, place);
  result.fraction = all.substr(place);
  result.integer.erase(0, std::min(result.integer.find_first_not_of('0'), result.integer.size()));
  if (result.integer.empty()) result.integer = "0";
  result.fraction.erase(result.fraction.find_last_not_of('0') + 1);
  if (result.is_zero()) result.negative = false;
  return result;
}

int compare(const Decimal& a, const Decimal& b) {
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  int order = 0;
  if (a.integer.size() != b.integer.size()) {
    order = a.integer.size() < b.integer.size() ? -1 : 1;
  } else if (const int integers = a.integer.compare(b.integer); integers != 0) {
    order = integers;
  } else {
    order = a.fraction.compare(b.fraction);
  }
  return a.negative ? -order : order;
}

void check_divisor(const Decimal& divisor, const std::string& place) {
  const auto value = parse_number<int64_t>(divisor.integer + divisor.fraction);
  if (value && *value <= kMaxModulus && divisor.fraction.size() <= kMaxScale) return;
  const std::string text = divisor.text();
  throw fail<Unsupported>(
      "'multipleOf' at {} is {}{}: at most {} without its point, and {} digits behind it, can be "
      "enforced",
      place, text.substr(0, 40), text.size() > 40 ? "..." : "", kMaxModulus, kMaxScale);
}

bool is_multiple(const Decimal& a, const Decimal& b) { return multiples(b).accepts(a.text()); }

ExprPtr json_number(const NumberLimits& limits) {
  const bool free = !limits.minimum && !limits.maximum && limits.multiple_of.empty() && !limits.fraction;
  if (free && limits.integer) return integer_syntax();
  if (free) return parse_regex("-?(?:0|[1-9][0-9]{0,17})(?:\\.[0-9]{1,17})?(?:[eE][+-]?[0-9]{1,2})?");
  static const std::string_view kWhat = "the set of numbers";
  const auto within_limits = [&](const ExprPtr& syntax) {
    Fsm numbers = make_dfa(*syntax, kWhat);
    if (limits.fraction) {
      numbers = intersect(numbers, make_dfa(*parse_regex("-?[0-9]+\\.[0-9]*[1-9][0-9]*"), kWhat), kWhat);
    }
    if (limits.minimum) numbers = intersect(numbers, make_dfa(*not_below(*limits.minimum), kWhat), kWhat);
    if (limits.maximum) numbers = intersect(numbers, make_dfa(*not_above(*limits.maximum), kWhat), kWhat);
    for (const Decimal& divisor : limits.multiple_of) numbers = intersect(numbers, multiples(divisor), kWhat);
    return numbers;
  };
  Fsm numbers = within_limits(limits.integer ? integer_syntax() : fifteen_digits());
  // Where bounds leave none of so few digits, there may be some of more.
  size_t before = 0;
  size_t behind = 0;
  for (const auto& bound : {limits.minimum, limits.maximum}) {
    if (!bound) continue;
    before = std::max(before, bound->value.integer.size() + 1);
    behind = std::max(behind, bound->value.fraction.size() + 1);
  }
  const bool is_long = before + behind > 15;
  const auto most_before = static_cast<int>(before);
  const auto most_behind = static_cast<int>(behind);
  if (is_empty(numbers) && is_long && !limits.integer) numbers = within_limits(scaled_digits(most_before, most_behind));
  if (is_empty(numbers) && is_long) numbers = within_limits(all_digits(most_before, limits.integer ? 0 : most_behind));
  return regular(std::make_shared<Fsm>(std::move(numbers)));
}

}  // namespace caravel::grammar
