#include <gtest/gtest.h>

#include <algorithm>

#include "caravel/engine.h"
#include "grammar/constraint.h"
#include "grammar/testing.h"

namespace caravel::grammar {
namespace {

/// Random words over `letters`, as models' vocabularies have them: with common prefixes, and some twice.
std::vector<std::string> random_words(const std::string& letters, size_t count, std::mt19937& random) {
  std::vector<std::string> words;
  while (words.size() < count) {
    std::string word;
    for (size_t length = 1 + random() % 5; word.size() < length;) word += letters[random() % letters.size()];
    words.push_back(word);
  }
  return words;
}

/// Every text of the language up to a length, by trying them all.
std::vector<std::string> language(StateSpace& space, const std::string& letters, size_t longest) {
  std::vector<std::string> all = {""};
  std::vector<std::string> accepted;
  for (size_t i = 0; i < all.size(); ++i) {
    if (space.complete(space.advance(space.start(), std::string_view(all[i])))) accepted.push_back(all[i]);
    if (all[i].size() < longest) {
      for (const char c : letters) all.push_back(all[i] + c);
    }
  }
  return accepted;
}

TEST(Mask, ABitIsSetIfAndOnlyIfSomeWholeTextFollows) {
  // Languages in which no text is longer than eight letters, so that trying all is proof.
  const std::vector<GrammarSpec> specs = {
      regex_spec("a{0,3}(b|ca?){1,2}"),
      regex_spec("(ab?c?){1,2}|b{5}"),
      gbnf_spec("root ::= x x?\nx ::= \"a\" y \"c\" | \"b\"\ny ::= \"b\"? | \"ab\""),
      gbnf_spec("root ::= \"a\" m \"a\"\nm ::= \"b\" n | n \"b\"\nn ::= (\"c\" | \"a\")?"),
  };
  std::mt19937 random(11);
  const std::string letters = "abc";
  for (const GrammarSpec& spec : specs) {
    const TokenTrie trie = byte_trie(random_words(letters, 60, random));
    StateSpace space = make_space(parse_spec(spec), trie);
    const std::vector<std::string> texts = language(space, letters, 8);
    ASSERT_GT(texts.size(), 4U);
    const auto begins_some = [&](const std::string& text) {
      return std::ranges::any_of(texts, [&](const std::string& whole) { return whole.starts_with(text); });
    };
    for (const std::string& text : texts) {
      for (size_t length = 0; length <= text.size(); ++length) {
        const std::string prefix = text.substr(0, length);
        const auto mask = space.mask(space.advance(space.start(), std::string_view(prefix)));
        for (int32_t token = 0; token < static_cast<int32_t>(trie.size()); ++token) {
          ASSERT_EQ(allows(*mask, token), begins_some(prefix + std::string(trie.bytes(token))))
              << spec.text << " after '" << prefix << "' token '" << trie.bytes(token) << "'";
        }
      }
    }
  }
}

TEST(Mask, TokensThatLeaveARuleAreFollowedUpTheStack) {
  // Balanced brackets of two kinds: which closing token fits depends on the whole stack.
  const GrammarSpec spec = gbnf_spec("root ::= b*\nb ::= \"(\" b* \")\" | \"[\" b* \"]\"");
  std::mt19937 random(5);
  const TokenTrie trie = byte_trie(random_words("()[]", 300, random));
  StateSpace space = make_space(parse_spec(spec), trie);
  const auto open_after = [](std::string_view text) -> std::optional<std::string> {
    std::string open;
    for (const char c : text) {
      if (c == '(' || c == '[') {
        open += c;
      } else if (!open.empty() && (open.back() == '(') == (c == ')') && (c == ')' || c == ']')) {
        open.pop_back();
      } else {
        return std::nullopt;
      }
    }
    return open;
  };
  for (int i = 0; i < 40; ++i) {
    std::string text;
    int32_t state = space.start();
    for (int step = 0; step < 30; ++step) {
      const auto mask = space.mask(state);
      std::vector<int32_t> allowed;
      for (int32_t token = 0; token < static_cast<int32_t>(trie.size()); ++token) {
        const bool fits = open_after(text + std::string(trie.bytes(token))).has_value();
        ASSERT_EQ(allows(*mask, token), fits) << "after '" << text << "' token '" << trie.bytes(token) << "'";
        if (fits) allowed.push_back(token);
      }
      EXPECT_EQ(space.complete(state), open_after(text)->empty());
      const int32_t token = allowed[random() % allowed.size()];
      text += trie.bytes(token);
      state = space.advance(state, token);
    }
  }
}

TEST(Mask, TheFirstTokensSpaceIsNotPartOfTheText) {
  const TokenTrie trie = byte_trie({" yes", "yes", "  yes", " y"}, true);
  StateSpace space = make_space(parse_spec({.kind = GrammarSpec::Kind::kChoice, .choices = {"yes", " no"}}), trie);
  const auto first = space.mask(space.start());
  const std::vector<bool> expected = {true, true, false, true};
  for (int32_t i = 0; i < 4; ++i) EXPECT_EQ(allows(*first, 256 + i), expected[static_cast<size_t>(i)]) << i;
  EXPECT_TRUE(space.complete(space.advance(space.start(), 256)));
  const int32_t after_y = space.advance(space.start(), 259);
  EXPECT_TRUE(allows(*space.mask(after_y), 'e'));
  // The answer's text has one of the two spaces.
  EXPECT_FALSE(space.complete(space.advance(space.start(), std::string_view("no"))));
  EXPECT_TRUE(space.complete(space.advance(space.start(), std::string_view("  no"))));
}

TEST(Mask, EndsAreAllowedWhereTheTextIsWholeAndSpecialTokensNever) {
  std::vector<std::string_view> tokens = {"a", "b", "", "ab", ""};  // 2 is special, 4 ends
  const auto space = std::make_shared<StateSpace>(std::make_shared<Automaton>(parse_spec(regex_spec("ab|abab"))),
                                                  std::make_shared<TokenTrie>(tokens));
  Constraint constraint(space, 40, {4});
  const auto allowed = [&] {
    std::vector<int32_t> ids;
    for (int32_t id = 0; id < 40; ++id) {
      if (constraint.mask().allows(id)) ids.push_back(id);
    }
    return ids;
  };
  constraint.begin();
  EXPECT_EQ(allowed(), (std::vector<int32_t>{0, 3}));
  constraint.advance(3);
  EXPECT_EQ(allowed(), (std::vector<int32_t>{0, 3, 4}));
  EXPECT_TRUE(constraint.complete());
  constraint.advance(3);
  EXPECT_EQ(allowed(), (std::vector<int32_t>{4}));
  constraint.advance(0);
  EXPECT_EQ(allowed(), (std::vector<int32_t>{})) << "what cannot follow leads nowhere";
  EXPECT_FALSE(constraint.complete());
}

TEST(Mask, CountsAreRightToTheTokenAndLookAlikesShareMasks) {
  // Tokens of up to five letters, a count of 300: with 6 left any of them fits, with fewer those that are no longer.
  const TokenTrie trie = byte_trie({"aa", "aaa", "aaaaa", "aab", "ab", "b"});
  StateSpace space = make_space(parse_spec(regex_spec("a{290,300}b")), trie);
  const auto after = [&](size_t count) {
    return space.advance(space.start(), std::string_view(std::string(count, 'a')));
  };
  for (size_t count = 1; count <= 300; ++count) {
    const auto mask = space.mask(after(count));
    for (int32_t token = 0; token < static_cast<int32_t>(trie.size()); ++token) {
      const std::string text = std::string(count, 'a') + std::string(trie.bytes(token));
      const size_t letters = std::min(text.find('b'), text.size());
      const bool ends = letters < text.size();
      const bool clean = text.find_first_not_of("ab") == std::string::npos;
      const bool fits = clean && letters <= 300 && (!ends || (letters >= 290 && letters + 1 == text.size()));
      ASSERT_EQ(allows(*mask, token), fits) << "after " << count << " token '" << trie.bytes(token) << "'";
    }
  }
  EXPECT_EQ(space.mask(after(10)), space.mask(after(200)));
  EXPECT_NE(space.mask(after(10)), space.mask(after(297)));
  EXPECT_FALSE(space.complete(after(300)));
}

TEST(Mask, ManyThreadsShareOneSpace) {
  const auto space = std::make_shared<StateSpace>(
      std::make_shared<Automaton>(parse_spec(schema_spec(R"({"type":"array","items":{"type":"string"}})"))),
      std::make_shared<TokenTrie>(byte_trie({"\",\"", "[\"", "\"]"})));
  std::vector<std::thread> threads;
  for (uint32_t seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&space, seed] {
      std::mt19937 random(seed);
      for (int i = 0; i < 20; ++i) draw_text(*space, byte_trie({"\",\"", "[\"", "\"]"}), random, 200);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Compiler, KeepsWhatWasCompiledAndForgetsTheOldest) {
  Compiler compiler([] { return byte_trie(); });
  const auto first = compiler.compile(regex_spec("a"));
  EXPECT_EQ(compiler.compile(regex_spec("a")), first);
  EXPECT_NE(compiler.compile(regex_spec("b")), first);
  for (int i = 0; i < 100; ++i) compiler.compile(regex_spec("a" + std::to_string(i)));
  EXPECT_NE(compiler.compile(regex_spec("a")), first);
}

TEST(Compiler, ForgetsWhatNobodyUsesWhereMemoryIsShort) {
  Compiler compiler([] { return byte_trie(); }, 1);
  auto first = compiler.compile(regex_spec("[a-z]{5}"));
  const StateSpace* const place = first.get();
  EXPECT_EQ(compiler.compile(regex_spec("[a-z]{5}")).get(), place) << "nothing has been visited yet";
  first->mask(first->start());
  EXPECT_GT(first->bytes(), 1U);
  EXPECT_THROW(compiler.compile(regex_spec("x")), Busy) << "one that is in use stays";
  const std::weak_ptr<StateSpace> gone = first;
  first.reset();
  EXPECT_NO_THROW(compiler.compile(regex_spec("y")));
  EXPECT_TRUE(gone.expired());
}

TEST(Constraint, EndsWhereItsStatesTakeTooMuch) {
  Compiler compiler([] { return byte_trie(); });
  const auto space = compiler.compile(regex_spec("[a-z]{5}"));
  Constraint roomy(space, 256, {});
  roomy.begin();
  EXPECT_EQ(roomy.error(), "");
  Constraint tight(space, 256, {}, 1);
  tight.begin();
  EXPECT_NE(tight.error().find("simplify it"), std::string::npos) << tight.error();
  EXPECT_FALSE(tight.complete());
}

TEST(Compiler, ChoicesAreExact) {
  expect_texts({.kind = GrammarSpec::Kind::kChoice, .choices = {"yes", "no", "yes, but"}}, {"yes", "no", "yes, but"},
               {"", "y", "yes,", "yesno"});
  expect_refused<InvalidArgument>({.kind = GrammarSpec::Kind::kChoice}, "at least one");
  expect_refused<InvalidArgument>({.kind = GrammarSpec::Kind::kChoice, .choices = {"a", ""}}, "empty");
  expect_refused<InvalidArgument>({.kind = GrammarSpec::Kind::kChoice, .choices = {"\xFF"}}, "UTF-8");
}

}  // namespace
}  // namespace caravel::grammar
