#include "text/jinja/operators.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "text/jinja/arguments.h"
#include "text/jinja/print.h"
#include "text/jinja/python_format.h"
#include "text/jinja/python_text.h"

namespace caravel::text::jinja {
namespace {

[[noreturn]] void throw_overflow() { throw InvalidArgument("an integer passes 63 bits"); }
[[noreturn]] void throw_zero() { throw InvalidArgument("division by zero"); }

const char* symbol(BinaryOperator op) {
  switch (op) {
    case BinaryOperator::kAdd:
      return "+";
    case BinaryOperator::kSubtract:
      return "-";
    case BinaryOperator::kMultiply:
      return "*";
    case BinaryOperator::kDivide:
      return "/";
    case BinaryOperator::kFloorDivide:
      return "//";
    case BinaryOperator::kModulo:
      return "%";
    case BinaryOperator::kPower:
      return "**";
  }
  return "?";
}

int64_t floor_divide(int64_t a, int64_t b) {
  if (b == 0) throw_zero();
  if (b == -1) {
    int64_t negated;
    if (__builtin_sub_overflow(int64_t{0}, a, &negated)) throw_overflow();
    return negated;
  }
  const int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

int64_t floor_modulo(int64_t a, int64_t b) {
  if (b == 0) throw_zero();
  if (b == -1) return 0;
  const int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

double floor_modulo(double a, double b) {
  if (b == 0) throw_zero();
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

int64_t power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) throw_overflow();
    if (exponent > 1 && __builtin_mul_overflow(base, base, &base)) throw_overflow();
  }
  return result;
}

Value integer_binary(BinaryOperator op, int64_t a, int64_t b) {
  int64_t result = 0;
  switch (op) {
    case BinaryOperator::kAdd:
      if (__builtin_add_overflow(a, b, &result)) throw_overflow();
      return result;
    case BinaryOperator::kSubtract:
      if (__builtin_sub_overflow(a, b, &result)) throw_overflow();
      return result;
    case BinaryOperator::kMultiply:
      if (__builtin_mul_overflow(a, b, &result)) throw_overflow();
      return result;
    case BinaryOperator::kDivide:
      if (b == 0) throw_zero();
      return static_cast<double>(a) / static_cast<double>(b);
    case BinaryOperator::kFloorDivide:
      return floor_divide(a, b);
    case BinaryOperator::kModulo:
      return floor_modulo(a, b);
    case BinaryOperator::kPower:
      if (b < 0) {
        if (a == 0) throw_zero();
        return std::pow(static_cast<double>(a), static_cast<double>(b));
      }
      return power(a, b);
  }
  return result;
}

Value float_binary(BinaryOperator op, double a, double b) {
  switch (op) {
    case BinaryOperator::kAdd:
      return a + b;
    case BinaryOperator::kSubtract:
      return a - b;
    case BinaryOperator::kMultiply:
      return a * b;
    case BinaryOperator::kDivide:
      if (b == 0) throw_zero();
      return a / b;
    case BinaryOperator::kFloorDivide:
      if (b == 0) throw_zero();
      return std::floor((a - floor_modulo(a, b)) / b + 0.5);
    case BinaryOperator::kModulo:
      return floor_modulo(a, b);
    case BinaryOperator::kPower:
      if (a == 0 && b < 0) throw_zero();
      return std::pow(a, b);
  }
  return 0.0;
}

/// A number's whole part in decimal digits. value: a wide int, or a number that is finite.
std::string whole_digits(const Value& value) {
  if (value.is_wide_int()) return value.digits();
  return value.is_integral() ? std::to_string(value.integer()) : fmt::format("{:.0f}", std::trunc(value.number()));
}

/// left < right, of which one is a wide int and the other a number: so far apart that fractions do not matter.
bool wide_less(const Value& left, const Value& right) {
  const auto is_float = [](const Value& value) { return value.is(Value::Type::kFloat); };
  if (is_float(left) && !std::isfinite(left.number())) return left.number() < 0;
  if (is_float(right) && !std::isfinite(right.number())) return right.number() > 0;
  const std::string a = whole_digits(left);
  const std::string b = whole_digits(right);
  const bool a_negative = a.starts_with('-');
  if (a_negative != b.starts_with('-')) return a_negative;
  const bool a_smaller = a.size() != b.size() ? a.size() < b.size() : a < b;
  return a_negative ? a != b && !a_smaller : a_smaller;
}

bool is_list_or_tuple(const Value& value) {
  return value.is_sequence(Sequence::Kind::kList) || value.is_sequence(Sequence::Kind::kTuple);
}

Value repeat(const Value& value, int64_t count, Budget& budget) {
  const auto times = static_cast<size_t>(std::max<int64_t>(count, 0));
  if (value.is_string()) {
    const std::string& text = value.string();
    if (text.empty()) return value;
    budget.text(times > budget.max_text() / text.size() ? budget.max_text() + 1 : times * text.size());
    std::string out;
    out.reserve(times * text.size());
    for (size_t i = 0; i < times; ++i) out += text;
    return Value(std::move(out), value.is_markup());
  }
  const auto& items = value.sequence().items;
  std::vector<Value> out;
  if (items.empty()) return Value::sequence({}, value.sequence().kind);
  for (size_t i = 0; i < times; ++i) {
    budget.items(items.size());
    out.insert(out.end(), items.begin(), items.end());
  }
  return Value::sequence(std::move(out), value.sequence().kind);
}

// The indices that a slice of `length` items takes, as Python's slice.indices.
struct SliceRange {
  int64_t start;
  int64_t step;
  int64_t count;
};

SliceRange slice_range(const Value& start, const Value& stop, const Value& step, int64_t length) {
  const auto bound = [&](const Value& value, int64_t otherwise, int64_t low, int64_t high) {
    if (value.is_none()) return otherwise;
    if (value.is_undefined()) throw_undefined(value);
    if (!value.is_integral()) throw fail<InvalidArgument>("a slice needs ints, not a {}", value.type_name());
    int64_t index = value.integer();
    if (index < 0) index = index < -length ? low : index + length;
    return std::clamp(index, low, high);
  };
  const int64_t stride = step.is_none() ? 1 : std::max<int64_t>(integer_or(&step, 1), -INT64_MAX);
  if (stride == 0) throw InvalidArgument("a slice's step cannot be 0");
  if (stride > 0) {
    const int64_t first = bound(start, 0, 0, length);
    const int64_t last = bound(stop, length, 0, length);
    return {first, stride, first < last ? (last - first - 1) / stride + 1 : 0};
  }
  const int64_t first = bound(start, length - 1, -1, length - 1);
  const int64_t last = bound(stop, -1, -1, length - 1);
  return {first, stride, last < first ? (first - last - 1) / -stride + 1 : 0};
}

}  // namespace

Value add(const Value& left, const Value& right, Budget& budget) {
  if (left.is_string() && right.is_string()) {
    const bool markup = left.is_markup() || right.is_markup();
    const auto part = [&](const Value& value) {
      return markup && !value.is_markup() ? html_escaped(value.string()) : value.string();
    };
    budget.text(left.string().size() + right.string().size());
    return Value(part(left) + part(right), markup);
  }
  if (is_list_or_tuple(left) && is_list_or_tuple(right) && left.sequence().kind == right.sequence().kind) {
    std::vector<Value> items = left.sequence().items;
    budget.items(items.size() + right.sequence().items.size());
    items.insert(items.end(), right.sequence().items.begin(), right.sequence().items.end());
    return Value::sequence(std::move(items), left.sequence().kind);
  }
  throw fail<InvalidArgument>("cannot add a {} and a {}", left.type_name(), right.type_name());
}

Value apply_binary(BinaryOperator op, const Value& left, const Value& right, Budget& budget) {
  budget.step();
  if (left.is_undefined()) throw_undefined(left);
  if (op == BinaryOperator::kModulo && left.is_string()) return format_percent(left, right, budget);
  if (right.is_undefined()) throw_undefined(right);
  if (left.is_integral() && right.is_integral()) return integer_binary(op, left.integer(), right.integer());
  if (left.is_number() && right.is_number()) return float_binary(op, left.number(), right.number());
  if (left.is_wide_int() || right.is_wide_int()) throw_overflow();
  if (op == BinaryOperator::kAdd) return add(left, right, budget);
  if (op == BinaryOperator::kMultiply) {
    if ((left.is_string() || is_list_or_tuple(left)) && right.is_integral())
      return repeat(left, right.integer(), budget);
    if ((right.is_string() || is_list_or_tuple(right)) && left.is_integral())
      return repeat(right, left.integer(), budget);
  }
  throw fail<InvalidArgument>("'{}' is not defined for a {} and a {}", symbol(op), left.type_name(), right.type_name());
}

Value apply_negate(const Value& operand) {
  if (operand.is_undefined()) throw_undefined(operand);
  if (operand.is_wide_int()) throw_overflow();
  if (operand.is_integral()) {
    int64_t result;
    if (__builtin_sub_overflow(int64_t{0}, operand.integer(), &result)) throw_overflow();
    return result;
  }
  if (operand.is_number()) return -operand.number();
  throw fail<InvalidArgument>("a {} cannot be negated", operand.type_name());
}

bool equals(const Value& left, const Value& right, Budget& budget) {
  budget.step();
  if (left.is_integral() && right.is_integral()) return left.integer() == right.integer();
  if (left.is_number() && right.is_number()) return left.number() == right.number();
  if (left.is_wide_int() && right.is(Value::Type::kFloat)) return left.digits() == whole_digits(right);
  if (right.is_wide_int() && left.is(Value::Type::kFloat)) return right.digits() == whole_digits(left);
  if (left.type() != right.type()) return false;
  switch (left.type()) {
    case Value::Type::kUndefined:
    case Value::Type::kNone:
      return true;
    case Value::Type::kString:
      return left.string() == right.string();
    case Value::Type::kWideInt:
      return left.digits() == right.digits();
    case Value::Type::kSequence: {
      if (&left.sequence() == &right.sequence()) return true;
      const auto& a = left.sequence();
      const auto& b = right.sequence();
      if (a.kind != b.kind || a.kind >= Sequence::Kind::kGenerator || a.items.size() != b.items.size()) return false;
      for (size_t i = 0; i < a.items.size(); ++i) {
        if (!equals(a.items[i], b.items[i], budget)) return false;
      }
      return true;
    }
    case Value::Type::kDict: {
      if (left.dict().size() != right.dict().size()) return false;
      for (const auto& [key, value] : left.dict().entries()) {
        const Value* other = right.dict().find(key);
        if (other == nullptr || !equals(value, *other, budget)) return false;
      }
      return true;
    }
    default:
      return left.same_object(right);
  }
}

bool less(const Value& left, const Value& right, Budget& budget) {
  budget.step();
  if (left.is_undefined()) throw_undefined(left);
  if (right.is_undefined()) throw_undefined(right);
  if (left.is_integral() && right.is_integral()) return left.integer() < right.integer();
  if (left.is_number() && right.is_number()) return left.number() < right.number();
  if ((left.is_wide_int() && (right.is_number() || right.is_wide_int())) || (right.is_wide_int() && left.is_number())) {
    return wide_less(left, right);
  }
  if (left.is_string() && right.is_string()) return left.string() < right.string();  // UTF-8 sorts as code points do
  if (is_list_or_tuple(left) && is_list_or_tuple(right) && left.sequence().kind == right.sequence().kind) {
    const auto& a = left.sequence().items;
    const auto& b = right.sequence().items;
    for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
      if (!equals(a[i], b[i], budget)) return less(a[i], b[i], budget);
    }
    return a.size() < b.size();
  }
  throw fail<InvalidArgument>("a {} and a {} have no order", left.type_name(), right.type_name());
}

bool contains(const Value& container, const Value& item, Budget& budget) {
  budget.step();
  switch (container.type()) {
    case Value::Type::kUndefined:
      return false;
    case Value::Type::kString:
      if (item.is_undefined()) throw_undefined(item);
      if (!item.is_string())
        throw fail<InvalidArgument>("'in <string>' needs a str on its left, not a {}", item.type_name());
      budget.step(static_cast<int64_t>(container.string().size() / 64));
      return find_text(container.string(), item.string()) != std::string::npos;
    case Value::Type::kDict:
      return container.dict().find(item) != nullptr;
    case Value::Type::kSequence:
      for (const Value& candidate : iterate(container, budget)) {
        if (equals(candidate, item, budget)) return true;
      }
      return false;
    default:
      throw fail<InvalidArgument>("a {} contains nothing", container.type_name());
  }
}

bool apply_comparison(Comparison comparison, const Value& left, const Value& right, Budget& budget) {
  switch (comparison) {
    case Comparison::kEqual:
      return equals(left, right, budget);
    case Comparison::kNotEqual:
      return !equals(left, right, budget);
    case Comparison::kLess:
      return less(left, right, budget);
    case Comparison::kGreater:
      return less(right, left, budget);
    // Not the negation of the other order: comparisons with NaN are all false.
    case Comparison::kLessEqual:
      return less(left, right, budget) || equals(left, right, budget);
    case Comparison::kGreaterEqual:
      return less(right, left, budget) || equals(left, right, budget);
    case Comparison::kIn:
      return contains(right, left, budget);
    case Comparison::kNotIn:
      return !contains(right, left, budget);
  }
  return false;
}

Value apply_slice(const Value& object, const Value& start, const Value& stop, const Value& step, Budget& budget) {
  if (object.is_undefined()) throw_undefined(object);
  const bool sliceable =
      object.is_string() || (object.is_sequence() && object.sequence().kind < Sequence::Kind::kGenerator);
  if (!sliceable) throw fail<InvalidArgument>("a {} cannot be sliced", object.type_name());
  if (object.is_string()) {
    const std::string& text = object.string();
    budget.items(text.size() / 16);
    const std::vector<std::string_view> characters = utf8_characters(text);
    const SliceRange range = slice_range(start, stop, step, static_cast<int64_t>(characters.size()));
    std::string out;
    for (int64_t i = 0; i < range.count; ++i) out += characters[static_cast<size_t>(range.start + i * range.step)];
    return Value(std::move(out), object.is_markup());
  }
  const auto& items = object.sequence().items;
  const SliceRange range = slice_range(start, stop, step, static_cast<int64_t>(items.size()));
  budget.items(static_cast<size_t>(range.count));
  std::vector<Value> out;
  for (int64_t i = 0; i < range.count; ++i) out.push_back(items[static_cast<size_t>(range.start + i * range.step)]);
  return Value::sequence(std::move(out), object.sequence().kind);
}

size_t find_text(std::string_view text, std::string_view needle, size_t from) {
  if (from > text.size()) return std::string_view::npos;
  if (needle.empty()) return from;
  const void* found = ::memmem(text.data() + from, text.size() - from, needle.data(), needle.size());
  return found == nullptr ? std::string_view::npos : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

}  // namespace caravel::text::jinja
