#include "grammar/fsm.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "grammar/minimize.h"
#include "grammar/nfa.h"

namespace caravel::grammar {
namespace {

using NodeSet = std::vector<int32_t>;  // sorted, each once

struct SetHash {
  size_t operator()(const NodeSet& set) const {
    return static_cast<size_t>(hash128(set.data(), set.size() * sizeof(int32_t)).low);
  }
};

/// Where an Nfa can be without consuming anything.
class Closure {
 public:
  explicit Closure(const Nfa& nfa) : nfa_(nfa), seen_(nfa.nodes.size(), 0) {}

  /// Adds to `set` all that it reaches without a byte. begins: nothing is consumed yet; ends: nothing will be any more.
  void close(NodeSet& set, bool begins, bool ends) {
    ++round_;
    for (const int32_t node : set) seen_[static_cast<size_t>(node)] = round_;
    for (size_t i = 0; i < set.size(); ++i) {
      for (const Nfa::Edge& edge : nfa_.nodes[static_cast<size_t>(set[i])]) {
        const bool free = edge.on == Nfa::On::kNothing || (edge.on == Nfa::On::kBegin && begins) ||
                          (edge.on == Nfa::On::kEnd && ends);
        if (!free || seen_[static_cast<size_t>(edge.target)] == round_) continue;
        seen_[static_cast<size_t>(edge.target)] = round_;
        set.push_back(edge.target);
      }
    }
  }

  bool accepts(NodeSet set, bool begins) {
    close(set, begins, true);
    return std::ranges::find(set, nfa_.accept) != set.end();
  }

  /// Drops the nodes that consume nothing and do not accept: they tell no set from another.
  void keep_consuming(NodeSet& set) const {
    std::erase_if(set, [&](int32_t node) {
      if (node == nfa_.accept) return false;
      return std::ranges::all_of(nfa_.nodes[static_cast<size_t>(node)],
                                 [](const Nfa::Edge& edge) { return edge.on == Nfa::On::kNothing; });
    });
    std::ranges::sort(set);
  }

 private:
  const Nfa& nfa_;
  std::vector<uint32_t> seen_;
  uint32_t round_ = 0;
};

/// Rabin and Scott's subset construction; a called rule counts as a letter.
class Subsets {
 public:
  Subsets(const Nfa& nfa, size_t max_nodes) : nfa_(nfa), closure_(nfa), max_nodes_(max_nodes) {}

  std::optional<Fsm> build() {
    NodeSet start = {nfa_.start};
    closure_.close(start, true, false);
    closure_.keep_consuming(start);
    // Not found again by its set: what it accepts may hang on its being the beginning.
    fsm_.deterministic = true;
    add_node(start, true);
    for (size_t i = 0; i < fsm_.nodes.size(); ++i) {
      const NodeSet set = sets_[i];
      add_edges(i, set);
      add_calls(i, set);
      if (fsm_.nodes.size() > max_nodes_ || work_ > kMaxWork) return std::nullopt;
    }
    return std::move(fsm_);
  }

 private:
  static constexpr size_t kMaxWork = 20'000'000;  // nodes in sets

  int32_t add_node(const NodeSet& set, bool begins) {
    fsm_.nodes.push_back({.edges = {}, .calls = {}, .accepting = closure_.accepts(set, begins)});
    sets_.push_back(set);
    return static_cast<int32_t>(fsm_.nodes.size() - 1);
  }

  int32_t find_or_add(NodeSet set) {
    // Sets of a long list's beginning hold all of it.
    set.size() < 256 ? check_interrupt() : check_interrupt_now();
    closure_.close(set, false, false);
    work_ += set.size();
    closure_.keep_consuming(set);
    const auto [found, is_new] = index_.try_emplace(set, static_cast<int32_t>(fsm_.nodes.size()));
    if (is_new) add_node(set, false);
    return found->second;
  }

  static void unique(NodeSet& set) {
    std::ranges::sort(set);
    set.erase(std::unique(set.begin(), set.end()), set.end());
  }

  void add_edges(size_t node, const NodeSet& set) {
    std::vector<Nfa::Edge> edges;
    std::vector<int> cuts;  // where some edge begins, or has ended
    for (const int32_t n : set) {
      for (const Nfa::Edge& edge : nfa_.nodes[static_cast<size_t>(n)]) {
        if (edge.on != Nfa::On::kBytes) continue;
        edges.push_back(edge);
        cuts.push_back(edge.first);
        cuts.push_back(edge.last + 1);
      }
    }
    std::ranges::sort(cuts);
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    std::vector<Fsm::Edge> merged;
    NodeSet targets;
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
      targets.clear();
      for (const Nfa::Edge& edge : edges) {
        if (edge.first <= cuts[i] && cuts[i] <= edge.last) targets.push_back(edge.target);
      }
      work_ += edges.size();
      if (targets.empty()) continue;
      unique(targets);
      const int32_t target = find_or_add(targets);
      if (!merged.empty() && merged.back().target == target && merged.back().last + 1 == cuts[i]) {
        merged.back().last = static_cast<uint8_t>(cuts[i + 1] - 1);
      } else {
        merged.push_back({static_cast<uint8_t>(cuts[i]), static_cast<uint8_t>(cuts[i + 1] - 1), target});
      }
    }
    fsm_.nodes[node].edges = std::move(merged);
  }

  void add_calls(size_t node, const NodeSet& set) {
    std::vector<std::pair<int32_t, int32_t>> calls;  // rule, target
    for (const int32_t n : set) {
      for (const Nfa::Edge& edge : nfa_.nodes[static_cast<size_t>(n)]) {
        if (edge.on == Nfa::On::kRule) calls.emplace_back(edge.rule, edge.target);
      }
    }
    std::ranges::sort(calls);
    for (size_t i = 0; i < calls.size();) {
      NodeSet targets;
      const int32_t rule = calls[i].first;
      for (; i < calls.size() && calls[i].first == rule; ++i) targets.push_back(calls[i].second);
      unique(targets);
      const int32_t target = find_or_add(targets);
      fsm_.nodes[node].calls.push_back({rule, target});
    }
  }

  const Nfa& nfa_;
  Closure closure_;
  const size_t max_nodes_;
  size_t work_ = 0;
  Fsm fsm_;
  std::vector<NodeSet> sets_;
  std::unordered_map<NodeSet, int32_t, SetHash> index_;
};

/// The Nfa without the edges that consume nothing; of the size of the Nfa, but for the edges.
Fsm without_skips(const Nfa& nfa) {
  Closure closure(nfa);
  std::vector<int32_t> places(nfa.nodes.size(), -1);
  std::vector<int32_t> order = {nfa.start};
  places[static_cast<size_t>(nfa.start)] = 0;
  const auto place_of = [&](int32_t node) {
    int32_t& place = places[static_cast<size_t>(node)];
    if (place < 0) {
      place = static_cast<int32_t>(order.size());
      order.push_back(node);
    }
    return place;
  };
  Fsm fsm;
  size_t edges = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    check_interrupt();
    NodeSet set = {order[i]};
    closure.close(set, i == 0, false);
    Fsm::Node node{.edges = {}, .calls = {}, .accepting = closure.accepts(set, i == 0)};
    for (const int32_t n : set) {
      for (const Nfa::Edge& edge : nfa.nodes[static_cast<size_t>(n)]) {
        if (edge.on == Nfa::On::kBytes) node.edges.push_back({edge.first, edge.last, place_of(edge.target)});
        if (edge.on == Nfa::On::kRule) node.calls.push_back({edge.rule, place_of(edge.target)});
      }
    }
    edges += node.edges.size();
    if (edges > 10 * kMaxNodes) throw fail<Unsupported>("the grammar is too large: it has more than {} edges", edges);
    std::ranges::sort(node.edges, {}, &Fsm::Edge::first);
    fsm.nodes.push_back(std::move(node));
  }
  return fsm;
}

}  // namespace

bool Fsm::accepts(std::string_view text) const {
  int32_t at = 0;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    const auto& edges = nodes[static_cast<size_t>(at)].edges;
    const auto edge = std::ranges::find_if(edges, [&](const Edge& e) { return e.first <= byte && byte <= e.last; });
    if (edge == edges.end()) return false;
    at = edge->target;
  }
  return nodes[static_cast<size_t>(at)].accepting;
}

Fsm make_fsm(const Expr& expr) {
  const Nfa nfa = make_nfa(expr);
  if (auto fsm = Subsets(nfa, 2 * nfa.nodes.size() + 256).build()) return minimize(*fsm);
  return without_skips(nfa);
}

Fsm make_dfa(const Expr& expr, std::string_view what) {
  const Nfa nfa = make_nfa(expr);
  if (auto fsm = Subsets(nfa, kMaxDfaNodes).build()) return minimize(*fsm);
  throw fail<Unsupported>("{} is too large: it would take more than {} states", what, kMaxDfaNodes);
}

}  // namespace caravel::grammar
