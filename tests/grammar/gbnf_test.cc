#include <gtest/gtest.h>

#include "grammar/testing.h"

namespace caravel::grammar {
namespace {

TEST(Gbnf, RulesRecurse) {
  const GrammarSpec sums = gbnf_spec(R"gbnf(
    # sums with brackets
    root ::= expr
    expr ::= term ("+" term)*   # one or more
    term ::= [0-9]+ | "(" expr ")"
  )gbnf");
  expect_texts(sums, {"1", "12+3", "(1+(2+33))+4"}, {"", "1+", "(1", "1)", "a"});
  expect_texts(gbnf_spec("root ::= \"a\" root \"b\" | \"\""), {"", "ab", "aaabbb"}, {"a", "aab", "abb", "ba"});
  expect_texts(gbnf_spec("root ::= \"a\" root | \"a\""), {"a", std::string(5000, 'a')}, {"", "b"});
}

TEST(Gbnf, LiteralsClassesAndRepetitions) {
  expect_texts(gbnf_spec(R"(root ::= "say \"x\"\n\t\\" [^a-c\]] . "\u00e9\U0001F600\x41")"),
               {"say \"x\"\n\t\\dqé😀A", "say \"x\"\n\t\\é\né😀A"}, {"say \"x\"\n\t\\aqé😀A"});
  expect_texts(gbnf_spec("root ::= [a-] {2} \"b\"? \"c\"{1,2} \"d\"{2,}"), {"a-cdd", "aabccddd"},
               {"acdd", "aacccdd", "aacd"});
  expect_texts(gbnf_spec("root ::= (\n \"a\" |\n \"b\"\n)\n"), {"a", "b"}, {"", "ab"});
  expect_texts(gbnf_spec("root ::= a-b c_1\na-b ::= \"x\"\nc_1 ::= \"y\""), {"xy"}, {"x"});
  expect_texts(gbnf_spec("root ::= \"é\"*"), {"", "éé"}, {"\xC3"});
}

TEST(Gbnf, ErrorsNameLineAndRule) {
  expect_refused<InvalidArgument>(gbnf_spec("root ::= \"a\"\nx = 3"), "line 2");
  expect_refused<InvalidArgument>(gbnf_spec("root ::= missing"), "'missing'");
  expect_refused<InvalidArgument>(gbnf_spec("start ::= \"a\""), "'root'");
  expect_refused<InvalidArgument>(gbnf_spec("root ::= \"a"), "not closed");
  expect_refused<InvalidArgument>(gbnf_spec("root ::= (\"a\""), "expected )");
  expect_refused<InvalidArgument>(gbnf_spec("root ::= \"a\"\nroot ::= \"b\""), "twice");
  expect_refused<InvalidArgument>(gbnf_spec("root ::= \"\\q\""), "escape");
  expect_refused<InvalidArgument>(gbnf_spec("root ::= root \"a\" | \"b\""), "left-recursive");
  expect_refused<InvalidArgument>(gbnf_spec("root ::= e root \"a\" | \"b\"\ne ::= \"x\"?"), "left-recursive");
  expect_refused<InvalidArgument>(gbnf_spec("root ::= \"a\" root"), "nothing can match");
  expect_refused<Unsupported>(gbnf_spec("root ::= <[12]>"), "token");
}

TEST(Gbnf, TooManyReadingsAtOnceAreAnError) {
  // After n letters there are 2^n stacks: no rule joins them.
  StateSpace space = make_space(
      parse_spec(gbnf_spec("root ::= x | \"\"\nx ::= y \"b\" | z \"c\" | \"d\"\ny ::= \"a\" x\nz ::= \"a\" x")));
  EXPECT_THROW(space.advance(space.start(), std::string_view(std::string(40, 'a'))), Unsupported);
}

}  // namespace
}  // namespace caravel::grammar
