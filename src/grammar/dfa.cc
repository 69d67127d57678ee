// Products and complements of machines without calls.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "grammar/code_points.h"
#include "grammar/fsm.h"
#include "grammar/minimize.h"

namespace caravel::grammar {

Fsm intersect(const Fsm& a, const Fsm& b, std::string_view what) {
  Fsm both;
  both.deterministic = true;
  std::unordered_map<uint64_t, int32_t> index;
  std::vector<std::pair<int32_t, int32_t>> pairs;
  const auto place_of = [&](int32_t in_a, int32_t in_b) {
    const uint64_t key = uint64_t{static_cast<uint32_t>(in_a)} << 32 | static_cast<uint32_t>(in_b);
    const auto [found, is_new] = index.try_emplace(key, static_cast<int32_t>(pairs.size()));
    if (is_new) pairs.emplace_back(in_a, in_b);
    return found->second;
  };
  place_of(0, 0);
  for (size_t i = 0; i < pairs.size(); ++i) {
    check_interrupt();
    if (pairs.size() > 4 * kMaxDfaNodes) {
      throw fail<Unsupported>("{} is too large: it would take more than {} states", what, 4 * kMaxDfaNodes);
    }
    const auto& node_a = a.nodes[static_cast<size_t>(pairs[i].first)];
    const auto& node_b = b.nodes[static_cast<size_t>(pairs[i].second)];
    Fsm::Node node{.edges = {}, .calls = {}, .accepting = node_a.accepting && node_b.accepting};
    for (size_t x = 0, y = 0; x < node_a.edges.size() && y < node_b.edges.size();) {
      const Fsm::Edge& edge_a = node_a.edges[x];
      const Fsm::Edge& edge_b = node_b.edges[y];
      const uint8_t first = std::max(edge_a.first, edge_b.first);
      const uint8_t last = std::min(edge_a.last, edge_b.last);
      if (first <= last) node.edges.push_back({first, last, place_of(edge_a.target, edge_b.target)});
      (edge_a.last < edge_b.last ? x : y) += 1;
    }
    both.nodes.push_back(std::move(node));
  }
  return minimize(both);
}

Fsm complement(const Fsm& a, std::string_view what) {
  Fsm flipped = a;
  const auto sink = static_cast<int32_t>(flipped.nodes.size());
  flipped.nodes.emplace_back();
  for (Fsm::Node& node : flipped.nodes) {
    node.accepting = !node.accepting;
    std::vector<Fsm::Edge> edges;
    int next = 0;
    for (const Fsm::Edge& edge : node.edges) {
      if (edge.first > next) edges.push_back({static_cast<uint8_t>(next), static_cast<uint8_t>(edge.first - 1), sink});
      edges.push_back(edge);
      next = edge.last + 1;
    }
    if (next <= 255) edges.push_back({static_cast<uint8_t>(next), 255, sink});
    node.edges = std::move(edges);
  }
  static const Fsm kText = [] {
    const Uninterrupted once;
    Fsm text = make_dfa(*repeat(chars({{0, kLastChar}}), 0, kUnbounded), "a text");
    return text;
  }();
  return intersect(flipped, kText, what);
}

TextLengths text_lengths(const Fsm& a) {
  constexpr int64_t kNone = -2;
  struct Visit {
    size_t node;
    size_t edge = 0;
  };
  // Depth first; what is met while it is still open lies on a way round. From each node of a minimal machine the text
  // can be completed.
  enum class Seen : uint8_t { kNo, kOpen, kDone };
  std::vector<Seen> seen(a.nodes.size(), Seen::kNo);
  std::vector<int64_t> longest(a.nodes.size(), kNone);
  std::vector<Visit> open = {{0}};
  bool endless = false;
  seen[0] = Seen::kOpen;
  while (!open.empty()) {
    Visit& visit = open.back();
    const Fsm::Node& node = a.nodes[visit.node];
    if (visit.edge < node.edges.size()) {
      const auto target = static_cast<size_t>(node.edges[visit.edge++].target);
      endless = endless || seen[target] == Seen::kOpen;
      if (seen[target] == Seen::kNo) {
        seen[target] = Seen::kOpen;
        open.push_back({target});
      }
      continue;
    }
    int64_t most = node.accepting ? 0 : kNone;
    for (const Fsm::Edge& edge : node.edges) {
      const bool begins = edge.first < 0x80 || edge.first >= 0xC0;
      most = std::max(most, longest[static_cast<size_t>(edge.target)] + (begins ? 1 : 0));
    }
    longest[visit.node] = most;
    seen[visit.node] = Seen::kDone;
    open.pop_back();
  }
  // By rounds: what a text of so many characters reaches.
  std::vector<bool> reached(a.nodes.size());
  std::vector<size_t> now = {0};
  std::vector<size_t> next;
  reached[0] = true;
  for (int64_t count = 0;; ++count) {
    for (size_t i = 0; i < now.size(); ++i) {
      const Fsm::Node& node = a.nodes[now[i]];
      if (node.accepting) return {count, endless ? int64_t{kUnbounded} : longest[0]};
      for (const Fsm::Edge& edge : node.edges) {
        const auto target = static_cast<size_t>(edge.target);
        if (reached[target]) continue;
        reached[target] = true;
        (edge.first < 0x80 || edge.first >= 0xC0 ? next : now).push_back(target);
      }
    }
    now = std::exchange(next, {});
    CARAVEL_CHECK(!now.empty());
  }
}

bool is_empty(const Fsm& a) {
  // Minimised: what leads nowhere is dropped, so the start has a way on or none.
  const Fsm small = minimize(a);
  return !small.nodes[0].accepting && small.nodes[0].edges.empty();
}

}  // namespace caravel::grammar
