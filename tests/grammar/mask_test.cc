#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

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
      if (allows(constraint.mask().bits(), id)) ids.push_back(id);
    }
    return ids;
  };
  constraint.find_mask();
  EXPECT_EQ(allowed(), (std::vector<int32_t>{0, 3}));
  constraint.advance(3);
  constraint.find_mask();
  EXPECT_EQ(allowed(), (std::vector<int32_t>{0, 3, 4}));
  EXPECT_TRUE(constraint.complete());
  constraint.advance(3);
  constraint.find_mask();
  EXPECT_EQ(allowed(), (std::vector<int32_t>{4}));
  constraint.advance(0);
  constraint.find_mask();
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
  auto first = compiler.compile(regex_spec("a"));
  EXPECT_EQ(compiler.compile(regex_spec("a")), first);
  EXPECT_NE(compiler.compile(regex_spec("b")), first);
  const std::weak_ptr<StateSpace> gone = first;
  first.reset();
  for (int i = 0; i < 100; ++i) compiler.compile(regex_spec("a" + std::to_string(i)));
  EXPECT_TRUE(gone.expired());
}

TEST(Compiler, ForgetsWhatNobodyUsesWhereMemoryIsShort) {
  Compiler compiler([] { return byte_trie(); }, Budget(1 << 20));
  auto first = compiler.compile(regex_spec("[a-z]{5}"));
  const auto other = compiler.compile(regex_spec("x"));  // a share of 256 KiB each
  const auto third = compiler.compile(regex_spec("y"));
  EXPECT_THROW(compiler.compile(regex_spec("z")), Busy) << "those that are in use stay";
  const std::weak_ptr<StateSpace> gone = first;
  first.reset();
  EXPECT_NO_THROW(compiler.compile(regex_spec("z")));
  EXPECT_TRUE(gone.expired());
}

TEST(Compiler, TidiesUpWhatNobodyUses) {
  Compiler compiler([] { return byte_trie(); });
  std::vector<std::weak_ptr<StateSpace>> spaces;
  for (const char* const pattern : {"a{1,200}", "b{1,200}", "c{1,200}"})
    spaces.push_back(compiler.compile(regex_spec(pattern)));
  const auto used = spaces[1].lock();
  const size_t one = used->bytes();
  compiler.tidy(one);
  EXPECT_TRUE(spaces[0].expired()) << "the oldest";
  EXPECT_FALSE(spaces[1].expired()) << "in use";
  EXPECT_FALSE(spaces[2].expired()) << "small enough to be kept for later";
}

TEST(Constraint, EndsWhereItsStatesTakeTooMuch) {
  const auto space =
      std::make_shared<StateSpace>(std::make_shared<Automaton>(parse_spec(regex_spec("(ab|[a-c]{1,40}){1,40}"))),
                                   std::make_shared<TokenTrie>(byte_trie()), SpaceMemory{.max_bytes = 40'000});
  Constraint constraint(space, 256, {});
  for (int i = 0; i < 400 && constraint.error().empty(); ++i) {
    EXPECT_TRUE(constraint.find_mask());
    constraint.advance("abc"[i % 3]);
  }
  EXPECT_NE(constraint.error().find("simplify it"), std::string::npos) << constraint.error();
  EXPECT_TRUE(constraint.find_mask());
  EXPECT_FALSE(constraint.complete());
  EXPECT_LE(space->bytes(), 40'000U);
}

TEST(Mask, CountsThatAreAmbiguousAreRightToTheLetter) {
  // A text can be read with many counts of either kind; the automaton is checked against all ways to read it.
  const TokenTrie trie = byte_trie({"abcde", "ab", "cde "});
  StateSpace space = make_space(parse_spec(regex_spec("((abcde|[a-z ]{2,9}){3,12}-?){9,10}")), trie);
  const std::string letters = "abcde abcdefgh ";
  // Parts of 2 to 9 letters, 3 to 12 of them, 9 or 10 times: 54 letters at least, 1080 at most.
  for (const auto& [length, whole] :
       std::vector<std::pair<int, bool>>{{53, false}, {54, true}, {700, true}, {1080, true}}) {
    std::string text;
    while (static_cast<int>(text.size()) < length) text += letters[text.size() % letters.size()];
    const int32_t state = space.advance(space.start(), std::string_view(text));
    EXPECT_EQ(space.complete(state), whole) << length;
    EXPECT_EQ(allows(*space.mask(state), 'q'), length < 1080) << length;
  }
  EXPECT_LT(space.bytes(), size_t{32} << 20);
}

TEST(Constraint, GoesOnWhereTheSpaceForgets) {
  const auto automaton = std::make_shared<Automaton>(parse_spec(regex_spec("((abcab|[a-c ]{3,60}){5,60}d){3}")));
  const auto trie = std::make_shared<TokenTrie>(byte_trie({"abc", "cab", "a b", "bd"}));
  StateSpace whole(automaton, trie);
  const auto forgetful = std::make_shared<StateSpace>(automaton, trie, SpaceMemory{.forget_bytes = 20'000});
  std::mt19937 random(7);
  struct Text {
    int32_t state;
    std::unique_ptr<Place> place;
  };
  std::vector<Text> texts(3);
  size_t most = 0;
  size_t forgotten = 0;
  for (int step = 0; step < 400; ++step) {
    Text& text = texts[static_cast<size_t>(step % 3)];
    if (text.place == nullptr || whole.complete(text.state)) {
      text = {whole.start(), std::make_unique<Place>(forgetful)};
    }
    const auto mask = whole.mask(text.state);
    ASSERT_EQ(*text.place->mask(StateSpace::kAllWork), *mask) << "at step " << step;
    ASSERT_EQ(text.place->complete(), whole.complete(text.state));
    std::vector<int32_t> allowed;
    for (int32_t token = 0; token < static_cast<int32_t>(trie->size()); ++token) {
      if (allows(*mask, token)) allowed.push_back(token);
    }
    const int32_t token = allowed[random() % allowed.size()];
    text.state = whole.advance(text.state, token);
    text.place->advance(token);
    forgotten += forgetful->bytes() < most;
    most = std::max(most, forgetful->bytes());
  }
  EXPECT_GT(forgotten, 3U);
  EXPECT_GT(whole.bytes(), 2 * most) << "forgetting bounds it";
}

TEST(Constraint, AMaskInSharesOfWorkIsTheMaskAtOnce) {
  const std::string grammar = "root ::= a a a a a a\na ::= b? b? b? b?\nb ::= c? c? c?\nc ::= \"x\"? [a-z]? [ -~]?";
  const auto automaton = std::make_shared<Automaton>(parse_spec({.kind = GrammarSpec::Kind::kGbnf, .text = grammar}));
  const auto trie = std::make_shared<TokenTrie>(byte_trie({"xa!", "hello", "x x", "\n", "~~~~~~~~~~~~"}));
  StateSpace whole(automaton, trie);
  const auto space = std::make_shared<StateSpace>(automaton, trie);
  Place place(space);
  int32_t state = whole.start();
  for (const char* const text : {"x", "hello", "!"}) {
    const auto mask = whole.mask(state);
    for (int32_t token = 0; token < static_cast<int32_t>(trie->size()); ++token) {
      EXPECT_EQ(allows(*mask, token), whole.advance(state, token) != StateSpace::kDead) << trie->bytes(token);
    }
    int shares = 1;
    std::shared_ptr<const MaskBits> found;
    while ((found = place.mask(200)) == nullptr) ASSERT_LT(++shares, 10'000);
    EXPECT_GT(shares, 1);
    EXPECT_EQ(*found, *mask);
    for (const char c : std::string_view(text)) place.advance(c);
    state = whole.advance(state, std::string_view(text));
  }
}

TEST(MaskThreads, OneThatTakesLongHoldsUpNobodyElse) {
  const auto trie = std::make_shared<TokenTrie>(byte_trie());
  const auto constraint_of = [&](const std::string& pattern) {
    return std::make_shared<Constraint>(
        std::make_shared<StateSpace>(std::make_shared<Automaton>(parse_spec(regex_spec(pattern))), trie), 256,
        std::vector<int32_t>{});
  };
  std::mutex mutex;
  std::condition_variable changed;
  int told = 0;
  MaskThreads threads({.ready = [&] {
    const std::lock_guard lock(mutex);
    ++told;
    changed.notify_all();
  }});
  // After some letters every count of both kinds is possible: thousands of ways, for each of the next letters.
  const auto slow = constraint_of("(abcde|[a-z ]{1,60}){1,60}");
  for (int i = 0; i < 60; ++i) slow->advance('a');
  threads.post(slow, 'b');
  const auto quick = constraint_of("ab*");
  threads.post(quick, 'a');
  const auto wait_for = [](Constraint& constraint) {
    while (!constraint.mask().ready()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  const bool awaited = slow->mask().await();
  wait_for(*quick);
  EXPECT_TRUE(allows(quick->mask().bits(), 'b'));
  EXPECT_FALSE(allows(quick->mask().bits(), 'a'));
  EXPECT_FALSE(quick->mask().await()) << "it is ready";
  wait_for(*slow);
  EXPECT_TRUE(allows(slow->mask().bits(), 'z'));
  if (awaited) {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return told > 0; }));
  }
  // One that nobody holds any more is given up: the threads end at once.
  auto given_up = constraint_of("(abcde|[a-z ]{1,60}){1,60}");
  threads.post(std::move(given_up), 'a');
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
