#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/expr.h"

namespace caravel::grammar {

/// A finite-state machine over bytes and over calls of rules: one rule of a grammar. Without calls, a regular language.
struct Fsm {
  struct Edge {
    uint8_t first;
    uint8_t last;
    int32_t target;
  };
  struct Call {
    int32_t rule;
    int32_t target;  // where it goes on once the rule has ended
  };
  struct Node {
    std::vector<Edge> edges;  // by first; disjoint in a deterministic one
    std::vector<Call> calls;
    bool accepting = false;
  };
  std::vector<Node> nodes;     // [0] is the start
  bool deterministic = false;  // at most one way for every byte and for every called rule

  /// The machine is deterministic and without calls.
  bool accepts(std::string_view text) const;
};

/// Nodes of one machine, and of all machines of a grammar together; above, a grammar is refused.
inline constexpr size_t kMaxNodes = 400'000;
/// The same limit for a machine that must be deterministic.
inline constexpr size_t kMaxDfaNodes = 50'000;

/// The machine of `expr`: deterministic unless that would take far more nodes. Throws Unsupported (too large).
Fsm make_fsm(const Expr& expr);

/// The same for an `expr` without rules, always deterministic and minimal. Throws Unsupported (too large), naming
/// `what`.
Fsm make_dfa(const Expr& expr, std::string_view what);

/// What both accept. Both deterministic and without calls; so is the result.
Fsm intersect(const Fsm& a, const Fsm& b, std::string_view what);
/// All well-formed UTF-8 that `a` does not accept.
Fsm complement(const Fsm& a, std::string_view what);
/// How many characters the texts have that `a`, deterministic, minimal and of well-formed UTF-8, accepts; it accepts
/// some.
struct TextLengths {
  int64_t shortest = 0;
  int64_t longest = 0;  // kUnbounded: there is no longest
};
TextLengths text_lengths(const Fsm& a);
/// Nothing is accepted.
bool is_empty(const Fsm& a);

}  // namespace caravel::grammar
