#include "grammar/counters.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/error.h"
#include "grammar/fsm.h"

namespace caravel::grammar {
namespace {

// Up to these, a repetition is written out.
constexpr int kFewCountable = 32;
constexpr int kFew = 256;
// And up to so many nodes in all, where its ends are seen, and where they are not.
constexpr double kManyNodes = 2000;
constexpr int kFewAmbiguous = 8;
constexpr double kFewNodes = 1024;

/// Neither calls rules nor asks whether it stands at an end: it has a machine of its own.
bool is_plain(const Expr& expr) {
  if (expr.kind == Expr::Kind::kRule || expr.kind == Expr::Kind::kBegin || expr.kind == Expr::Kind::kEnd) return false;
  return std::ranges::all_of(expr.parts, [](const ExprPtr& part) { return is_plain(*part); }) &&
         std::ranges::all_of(expr.members, [](const Expr::Member& member) { return is_plain(*member.expr); });
}

/// No text is empty, and what may go on a whole text never begins one.
bool ends_are_seen(const Expr& part) {
  if (!is_plain(part)) return false;
  try {
    const Fsm fsm = make_dfa(part, "a repetition's part");
    const Fsm::Node& start = fsm.nodes[0];
    if (start.accepting) return false;
    return std::ranges::all_of(fsm.nodes, [&](const Fsm::Node& node) {
      return !node.accepting || std::ranges::none_of(node.edges, [&](const Fsm::Edge& edge) {
        return std::ranges::any_of(start.edges,
                                   [&](const Fsm::Edge& e) { return e.first <= edge.last && edge.first <= e.last; });
      });
    });
  } catch (const Unsupported&) {
    return false;  // too large to tell
  }
}

bool may_be_empty(const Expr& expr) {
  const auto empty = [](const ExprPtr& part) { return may_be_empty(*part); };
  switch (expr.kind) {
    case Expr::Kind::kBytes:
      return expr.bytes.empty();
    case Expr::Kind::kChars:
      return false;
    case Expr::Kind::kSequence:
      return std::ranges::all_of(expr.parts, empty);
    case Expr::Kind::kChoice:
      return std::ranges::any_of(expr.parts, empty);
    case Expr::Kind::kRepeat:
      return expr.min == 0 || empty(expr.parts[0]);
    case Expr::Kind::kRegular:
      return expr.regular->nodes[0].accepting;
    default:
      return true;  // for all that is known
  }
}

/// About how many nodes it has, written out.
double size_of(const Expr& expr) {
  const double times = expr.kind == Expr::Kind::kRepeat ? std::max({expr.min, expr.max, 1}) : 1;
  double size = expr.kind == Expr::Kind::kRegular ? static_cast<double>(expr.regular->nodes.size())
                                                  : std::max(1.0, static_cast<double>(expr.bytes.size()));
  for (const ExprPtr& part : expr.parts) size += size_of(*part);
  for (const Expr::Member& member : expr.members) size += size_of(*member.expr) * std::max(member.max, 1);
  return times * size;
}

class Rewriter {
 public:
  explicit Rewriter(Grammar grammar) : grammar_(std::move(grammar)) {}

  Grammar run() {
    for (size_t i = 0; i < grammar_.rules.size(); ++i) {
      const ExprPtr expr = grammar_.rules[i].expr;  // rules are added meanwhile
      ExprPtr rewritten = rewrite(expr, i);
      grammar_.rules[i].expr = std::move(rewritten);
    }
    return std::move(grammar_);
  }

 private:
  /// rule: that it is a part of, for the names of new ones.
  ExprPtr rewrite(const ExprPtr& expr, size_t rule) {
    if (expr->kind == Expr::Kind::kRepeat && is_counted(*expr)) return counted(*expr, rule);
    if (expr->parts.empty() && expr->members.empty()) return expr;
    std::vector<ExprPtr> parts;
    std::vector<Expr::Member> members;
    for (const ExprPtr& part : expr->parts) parts.push_back(rewrite(part, rule));
    for (const Expr::Member& member : expr->members) {
      members.push_back({rewrite(member.expr, rule), member.min, member.max});
    }
    if (parts == expr->parts &&
        std::ranges::equal(members, expr->members, {}, &Expr::Member::expr, &Expr::Member::expr))
      return expr;
    auto changed = std::make_shared<Expr>(*expr);
    changed->parts = std::move(parts);
    changed->members = std::move(members);
    return changed;
  }

  static bool is_counted(const Expr& expr) {
    const int most = std::max(expr.min, expr.max);
    if (expr.countable) return most > kFewCountable;
    const Expr& part = *expr.parts[0];
    const double nodes = most * size_of(part);
    if ((most > kFew || (most > 1 && nodes > kManyNodes)) && ends_are_seen(part)) return true;
    // Where it is not seen, a text can be read with many counts at once. Written out, each would be nodes of its own;
    // as counts, most of them are covered by others (StateSpace).
    return most > kFewAmbiguous && nodes > kFewNodes && is_plain(part) && !may_be_empty(part);
  }

  ExprPtr counted(const Expr& expr, size_t rule) {
    const int min = std::max(expr.min, 1);
    const auto [found, is_new] =
        made_.try_emplace({expr.parts[0].get(), min, expr.max}, static_cast<int>(grammar_.rules.size()));
    if (is_new) {
      grammar_.rules.push_back({.name = grammar_.rules[rule].name, .expr = expr.parts[0], .min = min, .max = expr.max});
      kept_.push_back(expr.parts[0]);
    }
    ExprPtr call = rule_ref(found->second);
    return expr.min == 0 ? optional(std::move(call)) : call;
  }

  Grammar grammar_;
  std::map<std::tuple<const Expr*, int, int>, int> made_;  // rules, by what they repeat
  std::vector<ExprPtr> kept_;                              // so that no other has its address
};

}  // namespace

Grammar with_counters(Grammar grammar) { return Rewriter(std::move(grammar)).run(); }

}  // namespace caravel::grammar
