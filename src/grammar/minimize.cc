#include "grammar/minimize.h"

#include <algorithm>
#include <unordered_map>

#include "base/hash.h"
#include "base/interrupt.h"

namespace caravel::grammar {
namespace {

constexpr size_t kMaxWork = 2'000'000;  // nodes looked at

std::vector<bool> can_accept(const Fsm& fsm) {
  std::vector<std::vector<int32_t>> sources(fsm.nodes.size());
  std::vector<int32_t> work;
  std::vector<bool> live(fsm.nodes.size());
  for (size_t i = 0; i < fsm.nodes.size(); ++i) {
    const auto from = static_cast<int32_t>(i);
    for (const auto& edge : fsm.nodes[i].edges) sources[static_cast<size_t>(edge.target)].push_back(from);
    for (const auto& call : fsm.nodes[i].calls) sources[static_cast<size_t>(call.target)].push_back(from);
    if (!fsm.nodes[i].accepting) continue;
    live[i] = true;
    work.push_back(from);
  }
  while (!work.empty()) {
    const auto node = static_cast<size_t>(work.back());
    work.pop_back();
    for (const int32_t source : sources[node]) {
      if (live[static_cast<size_t>(source)]) continue;
      live[static_cast<size_t>(source)] = true;
      work.push_back(source);
    }
  }
  return live;
}

struct KeyHash {
  size_t operator()(const std::vector<int32_t>& key) const {
    return static_cast<size_t>(hash128(key.data(), key.size() * sizeof(int32_t)).low);
  }
};

using Index = std::unordered_map<std::vector<int32_t>, int32_t, KeyHash>;

/// Numbers the nodes of a machine by classes: nodes of one class accept the same texts.
class Classes {
 public:
  explicit Classes(const Fsm& fsm, const std::vector<bool>& live) : fsm_(fsm), live_(live), of_(fsm.nodes.size(), -1) {
    number_finite();
    number_endless();
  }

  const std::vector<int32_t>& of_nodes() const { return of_; }
  size_t count() const { return finite_ + endless_; }

 private:
  template <typename Visit>
  void each_target(size_t node, Visit visit) const {
    for (const auto& edge : fsm_.nodes[node].edges) {
      if (live_[static_cast<size_t>(edge.target)]) visit(static_cast<size_t>(edge.target));
    }
    for (const auto& call : fsm_.nodes[node].calls) {
      if (live_[static_cast<size_t>(call.target)]) visit(static_cast<size_t>(call.target));
    }
  }

  /// What tells a node from others once its targets have classes: `own`, then where its letters lead.
  const std::vector<int32_t>& key(size_t node, int32_t own) {
    key_.assign(1, own);
    for (const auto& edge : fsm_.nodes[node].edges) {
      if (!live_[static_cast<size_t>(edge.target)]) continue;
      const int32_t target = of_[static_cast<size_t>(edge.target)];
      // Neighbouring ranges that lead to the same class are one.
      if (key_.size() > 3 && key_.back() == target && key_[key_.size() - 2] + 1 == edge.first) {
        key_[key_.size() - 2] = edge.last;
      } else {
        key_.insert(key_.end(), {edge.first, edge.last, target});
      }
    }
    for (const auto& call : fsm_.nodes[node].calls) {
      if (live_[static_cast<size_t>(call.target)]) {
        key_.insert(key_.end(), {-1 - call.rule, of_[static_cast<size_t>(call.target)]});
      }
    }
    return key_;
  }

  /// Nodes from which no cycle is reached, from the last to the first: each is looked at once. Long counters are made
  /// of them.
  void number_finite() {
    const size_t size = fsm_.nodes.size();
    std::vector<std::vector<int32_t>> sources(size);
    std::vector<size_t> waits_for(size);
    std::vector<size_t> work;
    for (size_t i = 0; i < size; ++i) {
      each_target(i, [&](size_t target) {
        sources[target].push_back(static_cast<int32_t>(i));
        ++waits_for[i];
      });
      if (waits_for[i] == 0) work.push_back(i);
    }
    Index index;
    while (!work.empty()) {
      check_interrupt();
      const size_t node = work.back();
      work.pop_back();
      const auto next = static_cast<int32_t>(index.size());
      of_[node] = index.try_emplace(key(node, fsm_.nodes[node].accepting ? 1 : 0), next).first->second;
      for (const int32_t source : sources[node]) {
        if (--waits_for[static_cast<size_t>(source)] == 0) work.push_back(static_cast<size_t>(source));
      }
    }
    finite_ = index.size();
  }

  /// The others by Moore's refinement: nodes of one class cannot be told apart in as many letters as there were rounds.
  void number_endless() {
    std::vector<size_t> nodes;
    const auto base = static_cast<int32_t>(finite_);
    for (size_t i = 0; i < of_.size(); ++i) {
      if (of_[i] >= 0) continue;
      nodes.push_back(i);
      of_[i] = base + (fsm_.nodes[i].accepting ? 1 : 0);
    }
    std::vector<int32_t> next(nodes.size());
    for (size_t work = 0; !nodes.empty(); work += nodes.size()) {
      if (work > kMaxWork) {
        // They take as many rounds as the longest way that tells two apart, and hardly shrink.
        for (size_t i = 0; i < nodes.size(); ++i) of_[nodes[i]] = base + static_cast<int32_t>(i);
        endless_ = nodes.size();
        return;
      }
      Index index;
      for (size_t i = 0; i < nodes.size(); ++i) {
        check_interrupt();
        const auto fresh = base + static_cast<int32_t>(index.size());
        next[i] = index.try_emplace(key(nodes[i], of_[nodes[i]]), fresh).first->second;
      }
      for (size_t i = 0; i < nodes.size(); ++i) of_[nodes[i]] = next[i];
      if (index.size() == endless_) return;
      endless_ = index.size();
    }
  }

  const Fsm& fsm_;
  const std::vector<bool>& live_;
  std::vector<int32_t> of_;  // by node
  size_t finite_ = 0;        // classes of nodes that accept finitely many texts
  size_t endless_ = 0;       // and of the others, whose numbers come behind
  std::vector<int32_t> key_;
};

}  // namespace

Fsm minimize(const Fsm& fsm) {
  const std::vector<bool> live = can_accept(fsm);
  const Classes numbered(fsm, live);
  const std::vector<int32_t>& classes = numbered.of_nodes();
  const size_t count = numbered.count();

  Fsm small;
  small.deterministic = true;
  std::vector<int32_t> places(count, -1);
  std::vector<size_t> members = {0};
  places[static_cast<size_t>(classes[0])] = 0;
  const auto place_of = [&](int32_t node) {
    int32_t& place = places[static_cast<size_t>(classes[static_cast<size_t>(node)])];
    if (place < 0) {
      place = static_cast<int32_t>(members.size());
      members.push_back(static_cast<size_t>(node));
    }
    return place;
  };
  for (size_t i = 0; i < members.size(); ++i) {
    const Fsm::Node& old = fsm.nodes[members[i]];
    Fsm::Node node{.edges = {}, .calls = {}, .accepting = old.accepting};
    for (const auto& edge : old.edges) {
      if (!live[static_cast<size_t>(edge.target)]) continue;
      const int32_t target = place_of(edge.target);
      if (!node.edges.empty() && node.edges.back().target == target && node.edges.back().last + 1 == edge.first) {
        node.edges.back().last = edge.last;
      } else {
        node.edges.push_back({edge.first, edge.last, target});
      }
    }
    for (const auto& call : old.calls) {
      if (live[static_cast<size_t>(call.target)]) node.calls.push_back({call.rule, place_of(call.target)});
    }
    small.nodes.push_back(std::move(node));
  }
  return small;
}

}  // namespace caravel::grammar
