#pragma once

#include <cstdint>
#include <vector>

#include "grammar/expr.h"

namespace caravel::grammar {

/// A machine with edges that consume nothing, as it comes out of an expression (Thompson's construction).
struct Nfa {
  enum class On : uint8_t { kNothing, kBytes, kRule, kBegin, kEnd };
  struct Edge {
    On on;
    uint8_t first;  // kBytes
    uint8_t last;
    int32_t rule;  // kRule
    int32_t target;
  };
  std::vector<std::vector<Edge>> nodes;
  int32_t start = 0;
  int32_t accept = 0;
};

/// Throws Unsupported where a repetition makes it too large.
Nfa make_nfa(const Expr& expr);

}  // namespace caravel::grammar
