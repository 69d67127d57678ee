#include "grammar/expr.h"

#include <algorithm>

namespace caravel::grammar {

ExprPtr bytes(std::string text) {
  return std::make_shared<Expr>(Expr{.kind = Expr::Kind::kBytes, .bytes = std::move(text)});
}

ExprPtr chars(std::vector<CharRange> ranges) {
  return std::make_shared<Expr>(Expr{.kind = Expr::Kind::kChars, .chars = std::move(ranges)});
}

ExprPtr sequence(std::vector<ExprPtr> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  return std::make_shared<Expr>(Expr{.kind = Expr::Kind::kSequence, .parts = std::move(parts)});
}

ExprPtr choice(std::vector<ExprPtr> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  return std::make_shared<Expr>(Expr{.kind = Expr::Kind::kChoice, .parts = std::move(parts)});
}

ExprPtr repeat(ExprPtr part, int min, int max) {
  return std::make_shared<Expr>(Expr{.kind = Expr::Kind::kRepeat, .parts = {std::move(part)}, .min = min, .max = max});
}

ExprPtr repeat_countable(ExprPtr part, int min, int max) {
  return std::make_shared<Expr>(
      Expr{.kind = Expr::Kind::kRepeat, .parts = {std::move(part)}, .min = min, .max = max, .countable = true});
}

ExprPtr joined(std::vector<Expr::Member> members, ExprPtr separator) {
  return std::make_shared<Expr>(
      Expr{.kind = Expr::Kind::kJoined, .parts = {std::move(separator)}, .members = std::move(members)});
}

ExprPtr rule_ref(int rule) { return std::make_shared<Expr>(Expr{.kind = Expr::Kind::kRule, .rule = rule}); }

ExprPtr regular(std::shared_ptr<const Fsm> fsm) {
  return std::make_shared<Expr>(Expr{.kind = Expr::Kind::kRegular, .regular = std::move(fsm)});
}

std::vector<CharRange> complement(std::vector<CharRange> ranges) {
  std::ranges::sort(ranges, {}, &CharRange::first);
  std::vector<CharRange> rest;
  char32_t next = 0;
  for (const CharRange& range : ranges) {
    if (range.first > next) rest.push_back({next, range.first - 1});
    next = std::max<char32_t>(next, range.last + 1);
  }
  if (next <= 0x10FFFF) rest.push_back({next, 0x10FFFF});
  return rest;
}

}  // namespace caravel::grammar
