#include "grammar/nfa.h"

#include "base/check.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "grammar/code_points.h"
#include "grammar/fsm.h"

namespace caravel::grammar {
namespace {

class NfaBuilder {
 public:
  Nfa build(const Expr& expr) {
    nfa_.start = node();
    nfa_.accept = add(expr, nfa_.start);
    return std::move(nfa_);
  }

 private:
  using On = Nfa::On;

  int32_t node() {
    check_interrupt();
    if (nfa_.nodes.size() >= kMaxNodes) {
      throw fail<Unsupported>(
          "it is too large: a part of it (counted repetitions, alternatives, properties) would take more than {} "
          "states",
          kMaxNodes);
    }
    nfa_.nodes.emplace_back();
    return static_cast<int32_t>(nfa_.nodes.size() - 1);
  }
  void edge(int32_t from, Nfa::Edge edge) { nfa_.nodes[static_cast<size_t>(from)].push_back(edge); }
  void skip(int32_t from, int32_t to) { edge(from, {On::kNothing, 0, 0, 0, to}); }
  int32_t step(int32_t from, On on, uint8_t first = 0, uint8_t last = 0, int32_t rule = 0) {
    const int32_t to = node();
    edge(from, {on, first, last, rule, to});
    return to;
  }

  /// Puts `expr` behind `from`, and returns where it ends: a new node, or `from` for what is empty. Nothing leads back
  /// into `from` from inside.
  int32_t add(const Expr& expr, int32_t from) {
    switch (expr.kind) {
      case Expr::Kind::kBytes:
        for (const char c : expr.bytes) {
          from = step(from, On::kBytes, static_cast<uint8_t>(c), static_cast<uint8_t>(c));
        }
        return from;
      case Expr::Kind::kChars:
        return add_chars(expr, from);
      case Expr::Kind::kSequence:
        for (const ExprPtr& part : expr.parts) from = add(*part, from);
        return from;
      case Expr::Kind::kChoice: {
        const int32_t end = node();
        for (const ExprPtr& part : expr.parts) skip(add(*part, step(from, On::kNothing)), end);
        return end;
      }
      case Expr::Kind::kRepeat:
        return add_repeat(expr, from);
      case Expr::Kind::kJoined:
        return add_joined(expr, from);
      case Expr::Kind::kRule:
        return step(from, On::kRule, 0, 0, expr.rule);
      case Expr::Kind::kRegular:
        return add_regular(*expr.regular, from);
      case Expr::Kind::kBegin:
        return step(from, On::kBegin);
      case Expr::Kind::kEnd:
        return step(from, On::kEnd);
    }
    return from;
  }

  int32_t add_chars(const Expr& expr, int32_t from) {
    const int32_t end = node();
    for (const CharRange& range : expr.chars) {
      for (const ByteRanges& ranges : utf8_ranges(range.first, range.last)) {
        int32_t at = from;
        for (int i = 0; i < ranges.length; ++i) {
          const auto place = static_cast<size_t>(i);
          const int32_t to = i + 1 == ranges.length ? end : node();
          edge(at, {On::kBytes, ranges.first[place], ranges.last[place], 0, to});
          at = to;
        }
      }
    }
    return end;
  }

  int32_t add_repeat(const Expr& expr, int32_t from) {
    const Expr& part = *expr.parts[0];
    for (int i = 0; i < expr.min; ++i) from = add(part, step(from, On::kNothing));
    if (expr.max == kUnbounded) {
      const int32_t loop = step(from, On::kNothing);
      skip(add(part, step(loop, On::kNothing)), loop);
      return step(loop, On::kNothing);
    }
    if (expr.max <= expr.min) return from;
    const int32_t end = node();
    for (int i = expr.min; i < expr.max; ++i) {
      skip(from, end);
      from = add(part, step(from, On::kNothing));
    }
    skip(from, end);
    return end;
  }

  int32_t add_joined(const Expr& expr, int32_t from) {
    const Expr& separator = *expr.parts[0];
    int32_t nothing_yet = step(from, On::kNothing);  // -1 once some member must have been there
    int32_t something = -1;                          // -1 while none can have been
    for (const Expr::Member& member : expr.members) {
      CARAVEL_DCHECK(member.min <= 1);
      const int32_t next = node();
      const int32_t begin = node();
      if (nothing_yet >= 0) skip(nothing_yet, begin);
      if (something >= 0) skip(add(separator, something), begin);
      int32_t end = step(add(*member.expr, begin), On::kNothing);
      skip(end, next);
      if (member.max == kUnbounded) {
        skip(add(*member.expr, step(add(separator, end), On::kNothing)), end);
      } else {
        for (int i = 1; i < member.max; ++i) {
          end = step(add(*member.expr, add(separator, end)), On::kNothing);
          skip(end, next);
        }
      }
      if (member.min == 0 && something >= 0) skip(something, next);
      if (member.min > 0) nothing_yet = -1;
      something = next;
    }
    const int32_t end = node();
    if (nothing_yet >= 0) skip(nothing_yet, end);
    if (something >= 0) skip(something, end);
    return end;
  }

  int32_t add_regular(const Fsm& fsm, int32_t from) {
    const auto base = static_cast<int32_t>(nfa_.nodes.size());
    for (size_t i = 0; i < fsm.nodes.size(); ++i) node();
    const int32_t end = node();
    skip(from, base);
    for (size_t i = 0; i < fsm.nodes.size(); ++i) {
      const auto place = base + static_cast<int32_t>(i);
      for (const Fsm::Edge& e : fsm.nodes[i].edges) edge(place, {On::kBytes, e.first, e.last, 0, base + e.target});
      if (fsm.nodes[i].accepting) skip(place, end);
    }
    return end;
  }

  Nfa nfa_;
};

}  // namespace

Nfa make_nfa(const Expr& expr) { return NfaBuilder().build(expr); }

}  // namespace caravel::grammar
