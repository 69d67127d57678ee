#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace caravel::grammar {

struct Fsm;
struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;

/// Code points [first, last]; surrogates in it mean nothing.
struct CharRange {
  char32_t first = 0;
  char32_t last = 0;
};

inline constexpr int kUnbounded = -1;

/// What a grammar's rule matches, as a tree: what JSON schemas, regular expressions and GBNF are turned into.
/// Immutable.
struct Expr {
  enum class Kind : uint8_t {
    kBytes,     // `bytes`, to the byte; none: the empty text
    kChars,     // one of `chars`, in UTF-8
    kSequence,  // `parts`, one after another
    kChoice,    // one of `parts`; none: nothing matches
    kRepeat,    // parts[0], `min` to `max` times
    kJoined,    // `members` in order, with parts[0] between any two that are there
    kRule,      // the rule `rule`
    kRegular,   // what `regular`, which calls no rules, accepts
    kBegin,     // nothing, at the beginning of the rule's text alone
    kEnd,       // nothing, at its end alone
  };
  struct Member {
    ExprPtr expr;
    int min = 1;  // 0 or 1
    int max = 1;  // or kUnbounded
  };

  Kind kind = Kind::kBytes;
  std::string bytes = {};
  std::vector<CharRange> chars = {};
  std::vector<ExprPtr> parts = {};
  std::vector<Member> members = {};
  int min = 0;
  int max = 0;
  int rule = 0;
  bool countable = false;  // kRepeat: the byte after a part tells that the part has ended
  std::shared_ptr<const Fsm> regular = {};
};

ExprPtr bytes(std::string text);
ExprPtr chars(std::vector<CharRange> ranges);
ExprPtr sequence(std::vector<ExprPtr> parts);
ExprPtr choice(std::vector<ExprPtr> parts);
ExprPtr repeat(ExprPtr part, int min, int max);
/// A repetition whose parts' ends the next byte tells, such as items between commas: it may be counted in place of
/// being written out (counters.h). `part` is never empty.
ExprPtr repeat_countable(ExprPtr part, int min, int max);
ExprPtr joined(std::vector<Expr::Member> members, ExprPtr separator);
ExprPtr rule_ref(int rule);
ExprPtr regular(std::shared_ptr<const Fsm> fsm);
inline ExprPtr optional(ExprPtr part) { return repeat(std::move(part), 0, 1); }

/// The code points that `ranges` leave out, surrogates aside. `ranges` in any order.
std::vector<CharRange> complement(std::vector<CharRange> ranges);

struct Grammar {
  struct Rule {
    std::string name;  // for messages
    ExprPtr expr;
    // A call of the rule stands for `expr` so many times, one after another; other than once only where `expr` is never
    // empty. max: 1 and up, or kUnbounded.
    int min = 1;
    int max = 1;
    // Of the values of a JSON schema:
    std::string place = {};     // where the schema stands, a JSON pointer
    std::string conflict = {};  // what in it leaves no value, for a message
    int schema = -1;            // which of the schemas that a grammar embeds it belongs to
  };
  /// What a schema says and no grammar can hold an answer to: an annotation.
  struct Annotation {
    std::string name;   // the keyword, or "format:NAME"
    std::string place;  // a JSON pointer: where it occurs first
  };
  std::vector<Rule> rules;
  int root = 0;
  std::vector<Annotation> ignored = {};
};

}  // namespace caravel::grammar
