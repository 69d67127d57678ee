#pragma once

namespace caravel {

/// Lambdas as one function object, for std::visit.
template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

}  // namespace caravel
