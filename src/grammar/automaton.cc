#include "grammar/automaton.h"

#include <algorithm>
#include <bitset>

#include "base/error.h"
#include "grammar/conflict.h"
#include "grammar/counters.h"
#include "grammar/fsm.h"

namespace caravel::grammar {
namespace {

/// The nodes from which the end of their rule can be reached.
std::vector<bool> productive(std::span<const Fsm::Node> nodes, std::span<const int32_t> starts) {
  struct Wait {
    int32_t node;
    int32_t also;  // another node that must be productive too; -1: none
  };
  std::vector<std::vector<Wait>> waiting(nodes.size());  // by what they wait for
  std::vector<int32_t> work;
  std::vector<bool> live(nodes.size());
  const auto mark = [&](int32_t node) {
    if (live[static_cast<size_t>(node)]) return;
    live[static_cast<size_t>(node)] = true;
    work.push_back(node);
  };
  for (size_t i = 0; i < nodes.size(); ++i) {
    const auto node = static_cast<int32_t>(i);
    for (const auto& edge : nodes[i].edges) waiting[static_cast<size_t>(edge.target)].push_back({node, -1});
    for (const auto& call : nodes[i].calls) {
      const int32_t start = starts[static_cast<size_t>(call.rule)];
      waiting[static_cast<size_t>(start)].push_back({node, call.target});
      waiting[static_cast<size_t>(call.target)].push_back({node, start});
    }
    if (nodes[i].accepting) mark(node);
  }
  while (!work.empty()) {
    const auto node = static_cast<size_t>(work.back());
    work.pop_back();
    for (const Wait& wait : waiting[node]) {
      if (wait.also < 0 || live[static_cast<size_t>(wait.also)]) mark(wait.node);
    }
  }
  return live;
}

/// The rules' machines in one row; the edges' and calls' targets are moved with them.
std::vector<Fsm::Node> lay_out(const Grammar& grammar, std::vector<int32_t>& starts) {
  std::vector<Fsm::Node> nodes;
  for (const Grammar::Rule& rule : grammar.rules) {
    const auto base = static_cast<int32_t>(nodes.size());
    starts.push_back(base);
    Fsm fsm = make_fsm(*rule.expr);
    if (nodes.size() + fsm.nodes.size() > kMaxNodes) {
      throw fail<Unsupported>("the grammar is too large: it would take more than {} states", kMaxNodes);
    }
    for (Fsm::Node& node : fsm.nodes) {
      for (auto& edge : node.edges) edge.target += base;
      for (auto& call : node.calls) call.target += base;
      nodes.push_back(std::move(node));
    }
  }
  return nodes;
}

}  // namespace

Automaton::Automaton(const Grammar& written_out) : ignored_(written_out.ignored) {
  const Grammar grammar = with_counters(written_out);
  std::vector<int32_t> starts;  // by rule
  const std::vector<Fsm::Node> nodes = lay_out(grammar, starts);
  const std::vector<bool> live = productive(nodes, starts);
  start_ = starts[static_cast<size_t>(grammar.root)];
  if (!live[static_cast<size_t>(start_)]) {
    std::vector<bool> live_rules;
    for (const int32_t start : starts) live_rules.push_back(live[static_cast<size_t>(start)]);
    throw_conflict(grammar, live_rules);
  }

  std::bitset<257> cuts;
  cuts.set(' ').set(' ' + 1);
  for (const Fsm::Node& node : nodes) {
    for (const auto& edge : node.edges) cuts.set(edge.first).set(size_t{edge.last} + 1);
  }
  for (size_t byte = 0; byte < 256; ++byte) {
    if (byte > 0 && cuts[byte]) ++classes_;
    class_of_[byte] = static_cast<uint8_t>(classes_);
  }
  ++classes_;

  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const auto& edge : nodes[i].edges) {
      if (!live[i] || !live[static_cast<size_t>(edge.target)]) continue;
      edges_.push_back({class_of_[edge.first], class_of_[edge.last], edge.target});
    }
    for (const auto& call : nodes[i].calls) {
      const int32_t start = starts[static_cast<size_t>(call.rule)];
      if (!live[i] || !live[static_cast<size_t>(call.target)] || !live[static_cast<size_t>(start)]) continue;
      const Grammar::Rule& rule = grammar.rules[static_cast<size_t>(call.rule)];
      calls_.push_back({start, call.target, rule.min, rule.max});
    }
    edges_end_.push_back(static_cast<uint32_t>(edges_.size()));
    calls_end_.push_back(static_cast<uint32_t>(calls_.size()));
    accepting_.push_back(nodes[i].accepting);
  }
  check_left_recursion(grammar, starts);
}

void Automaton::check_left_recursion(const Grammar& grammar, std::span<const int32_t> starts) const {
  // Nodes from which the end of their rule can be reached without a byte, until nothing changes: rules are few.
  std::vector<bool> empties = accepting_;
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < size(); ++i) {
      if (empties[i]) continue;
      for (const Call& call : calls(static_cast<int32_t>(i))) {
        if (!empties[static_cast<size_t>(call.start)] || !empties[static_cast<size_t>(call.target)]) continue;
        empties[i] = true;
        changed = true;
        break;
      }
    }
  }
  // Tarjan's components of "without a byte from here to there". A call inside of one can repeat itself for ever.
  constexpr int32_t kDone = -2;
  std::vector<int32_t> order(size(), -1);
  std::vector<int32_t> low(size());
  std::vector<int32_t> component(size(), -1);
  std::vector<int32_t> open;
  struct Frame {
    int32_t node;
    size_t next;  // two ways for each call: into the rule, and past it
  };
  std::vector<Frame> frames;
  int32_t counter = 0;
  const auto enter = [&](int32_t node) {
    order[static_cast<size_t>(node)] = low[static_cast<size_t>(node)] = counter++;
    open.push_back(node);
    frames.push_back({node, 0});
  };
  for (size_t root = 0; root < size(); ++root) {
    if (order[root] != -1 || calls(static_cast<int32_t>(root)).empty()) continue;
    enter(static_cast<int32_t>(root));
    while (!frames.empty()) {
      Frame& frame = frames.back();
      const auto node = static_cast<size_t>(frame.node);
      const auto here = calls(frame.node);
      if (frame.next < 2 * here.size()) {
        const Call& call = here[frame.next / 2];
        const bool past = frame.next++ % 2 == 1;
        if (past && !empties[static_cast<size_t>(call.start)]) continue;
        const int32_t to = past ? call.target : call.start;
        if (order[static_cast<size_t>(to)] == -1) {
          enter(to);
        } else if (component[static_cast<size_t>(to)] == -1) {
          low[node] = std::min(low[node], order[static_cast<size_t>(to)]);
        }
        continue;
      }
      if (low[node] == order[node]) {
        int32_t member = kDone;
        while (member != frame.node) {
          member = open.back();
          open.pop_back();
          component[static_cast<size_t>(member)] = static_cast<int32_t>(node);
        }
      }
      const int32_t reached = low[node];
      frames.pop_back();
      if (!frames.empty()) {
        auto& above = low[static_cast<size_t>(frames.back().node)];
        above = std::min(above, reached);
      }
    }
  }
  for (size_t i = 0; i < size(); ++i) {
    for (const Call& call : calls(static_cast<int32_t>(i))) {
      if (component[i] == -1 || component[i] != component[static_cast<size_t>(call.start)]) continue;
      const auto rule = std::ranges::find(starts, call.start) - starts.begin();
      throw fail<InvalidArgument>(
          "rule '{}' is left-recursive: it can call itself before anything else; write the "
          "repetition with * or put the recursion last",
          grammar.rules[static_cast<size_t>(rule)].name);
    }
  }
}

}  // namespace caravel::grammar
