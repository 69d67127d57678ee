#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "grammar/expr.h"

namespace caravel::grammar {

/// A byte-level pushdown automaton: the machines of all rules of a grammar, side by side (Dong et al. 2024, "XGrammar",
/// section 3). From every node the text can be completed. Immutable: any thread may use it.
class Automaton {
 public:
  struct Edge {
    uint8_t first;  // byte classes
    uint8_t last;
    int32_t target;
  };
  struct Call {
    int32_t start;   // the rule's first node
    int32_t target;  // where it goes on once the rule has ended
    int32_t min;     // how many times, one after another
    int32_t max;     // 1 and up, or kUnbounded
  };

  /// Throws InvalidArgument (a rule that calls itself before anything else; a grammar that nothing matches),
  /// Unsupported (too large).
  explicit Automaton(const Grammar& written_out);

  /// What the grammar's schemas say and it does not hold to.
  const std::vector<Grammar::Annotation>& ignored() const { return ignored_; }

  int32_t start() const { return start_; }
  size_t size() const { return accepting_.size(); }
  /// In memory.
  size_t bytes() const {
    return edges_.size() * sizeof(Edge) + calls_.size() * sizeof(Call) + size() * (2 * sizeof(uint32_t)) + size() / 8;
  }
  std::span<const Edge> edges(int32_t node) const { return part(edges_, edges_end_, node); }
  std::span<const Call> calls(int32_t node) const { return part(calls_, calls_end_, node); }
  bool accepting(int32_t node) const { return accepting_[static_cast<size_t>(node)]; }
  /// Nothing but the end of its rule can come.
  bool only_accepts(int32_t node) const { return accepting(node) && edges(node).empty() && calls(node).empty(); }

  /// Bytes of one class lead the same way from every node. A blank is alone in its class.
  int classes() const { return classes_; }
  uint8_t class_of(uint8_t byte) const { return class_of_[byte]; }

 private:
  template <typename T>
  static std::span<const T> part(const std::vector<T>& all, const std::vector<uint32_t>& ends, int32_t node) {
    const auto i = static_cast<size_t>(node);
    const size_t begin = i == 0 ? 0 : ends[i - 1];
    return std::span(all).subspan(begin, ends[i] - begin);
  }
  void check_left_recursion(const Grammar& grammar, std::span<const int32_t> starts) const;

  std::vector<Grammar::Annotation> ignored_;
  int32_t start_ = 0;
  int classes_ = 0;
  std::array<uint8_t, 256> class_of_ = {};
  std::vector<Edge> edges_;
  std::vector<uint32_t> edges_end_;  // [nodes]
  std::vector<Call> calls_;
  std::vector<uint32_t> calls_end_;  // [nodes]
  std::vector<bool> accepting_;      // [nodes]
};

}  // namespace caravel::grammar
