#include "grammar/conflict.h"

#include <algorithm>
#include <map>

#include "base/about_schema.h"
#include "base/error.h"
#include "grammar/fsm.h"

namespace caravel::grammar {
namespace {

class ConflictFinder {
 public:
  ConflictFinder(const Grammar& grammar, const std::vector<bool>& live)
      : grammar_(grammar), live_(live), seen_(live.size()) {}

  /// The innermost schema's rule below `rule`, which nothing matches; -1: there is none.
  int innermost(int rule) {
    const auto index = static_cast<size_t>(rule);
    if (seen_[index]) {
      is_endless_ = true;
      return -1;
    }
    seen_[index] = true;
    const int inner = below(*grammar_.rules[index].expr);
    if (inner >= 0) return inner;
    return grammar_.rules[index].place.empty() ? -1 : rule;
  }

  /// A rule was met again below itself.
  bool is_endless() const { return is_endless_; }

 private:
  /// `expr`: that nothing matches.
  int below(const Expr& expr) {
    if (expr.kind == Expr::Kind::kRule) return innermost(expr.rule);
    // In a sequence one is enough, in a choice all are: either way the first that leads to a schema.
    for (const ExprPtr& part : expr.parts) {
      if (expr.kind == Expr::Kind::kJoined || matches(*part)) continue;
      if (const int rule = below(*part); rule >= 0) return rule;
    }
    for (const Expr::Member& member : expr.members) {
      if (member.min == 0 || matches(*member.expr)) continue;
      if (const int rule = below(*member.expr); rule >= 0) return rule;
    }
    return -1;
  }

  bool matches(const Expr& expr) {
    const auto found = matches_.find(&expr);
    if (found != matches_.end()) return found->second;
    const bool result = something_matches(expr);
    matches_.emplace(&expr, result);
    return result;
  }

  bool something_matches(const Expr& expr) {
    const auto part_matches = [&](const ExprPtr& part) { return matches(*part); };
    switch (expr.kind) {
      case Expr::Kind::kRule:
        return live_[static_cast<size_t>(expr.rule)];
      case Expr::Kind::kRegular:
        return !is_empty(*expr.regular);
      case Expr::Kind::kSequence:
        return std::ranges::all_of(expr.parts, part_matches);
      case Expr::Kind::kChoice:
        return std::ranges::any_of(expr.parts, part_matches);
      case Expr::Kind::kRepeat:
        return expr.min == 0 || part_matches(expr.parts[0]);
      case Expr::Kind::kJoined:
        return std::ranges::all_of(expr.members, [&](const Expr::Member& m) { return m.min == 0 || matches(*m.expr); });
      case Expr::Kind::kChars:
        return !expr.chars.empty();
      default:
        return true;
    }
  }

  const Grammar& grammar_;
  const std::vector<bool>& live_;
  std::vector<bool> seen_;
  bool is_endless_ = false;
  std::map<const Expr*, bool> matches_;
};

}  // namespace

void throw_conflict(const Grammar& grammar, const std::vector<bool>& live) {
  ConflictFinder finder(grammar, live);
  const int found = finder.innermost(grammar.root);
  if (found < 0) throw InvalidArgument("nothing can match it");
  const Grammar::Rule& rule = grammar.rules[static_cast<size_t>(found)];
  const std::string why = !rule.conflict.empty() ? rule.conflict
                          : finder.is_endless()  ? "it requires itself, without an end"
                                                 : "its parts leave no value";
  const std::string problem = fmt::format("nothing can match {}: {}", rule.place, why);
  if (rule.schema >= 0) throw SchemaError<InvalidArgument>(static_cast<size_t>(rule.schema), problem);
  throw InvalidArgument(problem);
}

}  // namespace caravel::grammar
