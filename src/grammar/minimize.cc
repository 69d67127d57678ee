#include "grammar/minimize.h"

#include <algorithm>
#include <numeric>
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

}  // namespace

Fsm minimize(const Fsm& fsm) {
  const std::vector<bool> live = can_accept(fsm);
  // Moore's refinement: nodes of one class cannot be told apart in as many letters as there were rounds.
  std::vector<int32_t> classes(fsm.nodes.size());
  for (size_t i = 0; i < fsm.nodes.size(); ++i) classes[i] = fsm.nodes[i].accepting ? 1 : 0;
  size_t count = 0;
  std::vector<int32_t> key;
  for (size_t work = 0;; work += fsm.nodes.size()) {
    if (work > kMaxWork) {
      // Long counters take as many rounds as they have nodes, and hardly shrink.
      std::iota(classes.begin(), classes.end(), 0);
      count = classes.size();
      break;
    }
    std::unordered_map<std::vector<int32_t>, int32_t, KeyHash> index;
    std::vector<int32_t> next(fsm.nodes.size());
    for (size_t i = 0; i < fsm.nodes.size(); ++i) {
      check_interrupt();
      key.assign(1, classes[i]);
      for (const auto& edge : fsm.nodes[i].edges) {
        if (!live[static_cast<size_t>(edge.target)]) continue;
        const int32_t target = classes[static_cast<size_t>(edge.target)];
        // Neighbouring ranges that lead to the same class are one.
        if (key.size() > 3 && key.back() == target && key[key.size() - 2] + 1 == edge.first) {
          key[key.size() - 2] = edge.last;
        } else {
          key.insert(key.end(), {edge.first, edge.last, target});
        }
      }
      for (const auto& call : fsm.nodes[i].calls) {
        if (live[static_cast<size_t>(call.target)]) {
          key.insert(key.end(), {-1 - call.rule, classes[static_cast<size_t>(call.target)]});
        }
      }
      next[i] = index.try_emplace(key, static_cast<int32_t>(index.size())).first->second;
    }
    classes = std::move(next);
    if (index.size() == count) break;
    count = index.size();
  }

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
