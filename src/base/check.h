#pragma once

#include <sstream>
#include <string>

/// What only a programmer can cause. A failed check prints the place, the expression and both values, and aborts:
/// CARAVEL_CHECK(n > 0); CARAVEL_CHECK_EQ(a, b). Always on; CARAVEL_DCHECK* in debug builds alone.
namespace caravel::internal {

[[noreturn]] void check_failed(const char* file, int line, const char* expression, const std::string& values);

template <typename A, typename B>
[[noreturn]] void check_op_failed(const char* file, int line, const char* expression, const A& a, const B& b) {
  std::ostringstream values;
  values << a << " against " << b;
  check_failed(file, line, expression, values.str());
}

}  // namespace caravel::internal

#define CARAVEL_CHECK(condition)                     \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::caravel::internal::check_failed(__FILE__, __LINE__, #condition, ""))

#define CARAVEL_CHECK_OP(op, a, b)                                                                       \
  do {                                                                                                   \
    const auto& caravel_a = (a);                                                                         \
    const auto& caravel_b = (b);                                                                         \
    if (!(caravel_a op caravel_b)) [[unlikely]]                                                          \
      ::caravel::internal::check_op_failed(__FILE__, __LINE__, #a " " #op " " #b, caravel_a, caravel_b); \
  } while (false)

#define CARAVEL_CHECK_EQ(a, b) CARAVEL_CHECK_OP(==, a, b)
#define CARAVEL_CHECK_NE(a, b) CARAVEL_CHECK_OP(!=, a, b)
#define CARAVEL_CHECK_LT(a, b) CARAVEL_CHECK_OP(<, a, b)
#define CARAVEL_CHECK_LE(a, b) CARAVEL_CHECK_OP(<=, a, b)
#define CARAVEL_CHECK_GT(a, b) CARAVEL_CHECK_OP(>, a, b)
#define CARAVEL_CHECK_GE(a, b) CARAVEL_CHECK_OP(>=, a, b)

#ifdef NDEBUG
#define CARAVEL_DCHECK(condition) static_cast<void>(0)
#else
#define CARAVEL_DCHECK(condition) CARAVEL_CHECK(condition)
#endif
