#pragma once

namespace caravel {

/// Lambdas as one function object, for std::visit.
template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
// clang before 17 does not deduce it by itself.
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace caravel
