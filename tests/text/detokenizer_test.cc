#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "caravel/tokenizer.h"
#include "text/normalizer.h"
#include "text/tokenizer_data.h"
#include "text/tokenizer_fixture.h"
#include "text/unicode.h"

namespace caravel::text {
namespace {

using Ids = std::vector<int32_t>;

constexpr EncodeOptions kPlain{.add_special = false, .parse_special = false};

Tokenizer sentence_piece(bool prefix) {
  TokenizerData data = load_tokenizer_fixture("sentencepiece.json").data;
  data.normalizer = sentencepiece_normalizer(prefix);
  return Tokenizer(std::move(data));
}

Tokenizer byte_level() { return Tokenizer(load_tokenizer_fixture("byte_level.json").data); }

// What each push gives, and in the end what finish gives.
std::vector<std::string> pushes(const Tokenizer& tokenizer, const Ids& ids, bool skip_special = true) {
  Detokenizer detokenizer(tokenizer, skip_special);
  std::vector<std::string> out;
  for (const int32_t id : ids) detokenizer.push(id, out.emplace_back());
  detokenizer.finish(out.emplace_back());
  return out;
}

TEST(Detokenizer, NeverGivesHalfACharacterAndAddsUpToTheWhole) {
  const Tokenizer bytes = byte_level();
  const Tokenizer pieces = sentence_piece(true);
  std::mt19937 random(3);
  for (const Tokenizer* tokenizer : {&bytes, &pieces}) {
    for (int round = 0; round < 2000; ++round) {
      Ids ids(random() % 30);  // any tokens at all, so that characters break in every way
      for (int32_t& id : ids) id = static_cast<int32_t>(random() % static_cast<unsigned>(tokenizer->vocab_size()));
      std::string raw;
      for (const int32_t id : ids) {
        const TokenType type = tokenizer->token_type(id);
        if (type != TokenType::kControl && type != TokenType::kUnknown) raw += tokenizer->token_bytes(id);
      }
      if (tokenizer->adds_space_prefix() && raw.starts_with(' ')) raw.erase(0, 1);
      std::string mended;
      if (append_complete_utf8(raw, mended) > 0) mended += kReplacement;

      std::string joined;
      for (const std::string& part : pushes(*tokenizer, ids)) {
        ASSERT_TRUE(is_valid_utf8(part));
        joined += part;
      }
      ASSERT_EQ(joined, mended);
      ASSERT_EQ(tokenizer->decode(ids), mended);
    }
  }
}

TEST(Detokenizer, GivesACharacterAsSoonAsItIsWhole) {
  const Tokenizer tokenizer = sentence_piece(false);
  const Ids smile = {*tokenizer.find("<0xF0>"), *tokenizer.find("<0x9F>"), *tokenizer.find("<0x98>"),
                     *tokenizer.find("<0x80>")};
  EXPECT_EQ(pushes(tokenizer, smile), (std::vector<std::string>{"", "", "", "\U0001F600", ""}));
  EXPECT_EQ(pushes(tokenizer, {smile[0], smile[1], *tokenizer.find("a")}), (std::vector<std::string>{"", "",
                                                                                                     "\uFFFD"
                                                                                                     "a",
                                                                                                     ""}));
  EXPECT_EQ(pushes(tokenizer, {smile[0], smile[1], smile[0]}), (std::vector<std::string>{"", "", "\uFFFD", "\uFFFD"}));
}

TEST(Detokenizer, DropsOneLeadingSpaceOnceWhereThePrefixWasAdded) {
  const Tokenizer with = sentence_piece(true);
  const Tokenizer without = sentence_piece(false);
  const int32_t space = *with.find("\u2581");
  const int32_t a = *with.find("a");
  EXPECT_EQ(with.decode(Ids{space, a, space, a}), "a a");
  EXPECT_EQ(with.decode(Ids{space, space, a}), " a");
  EXPECT_EQ(without.decode(Ids{space, a}), " a");
  EXPECT_EQ(with.decode(with.encode("  a ", kPlain)), "  a ");
  // A control token that is shown comes first: there is no prefix to drop.
  const int32_t bos = *with.find("<s>");
  EXPECT_EQ(with.decode(Ids{bos, space, a}), "a");
  EXPECT_EQ(with.decode(Ids{bos, space, a}, false), "<s> a");
}

TEST(Detokenizer, ControlTokensDoNotPartACharacter) {
  const Tokenizer tokenizer = byte_level();
  const Ids bytes = {*tokenizer.find("\u00C3"), 2, *tokenizer.find("\u00A9")};  // as stored: bytes C3 and A9
  EXPECT_EQ(pushes(tokenizer, bytes), (std::vector<std::string>{"", "", "\u00E9", ""}));
  EXPECT_EQ(pushes(tokenizer, bytes, false), (std::vector<std::string>{"", "\uFFFD<|im_end|>", "\uFFFD", ""}));
}

TEST(Detokenizer, ACopyGoesOnByItself) {
  const Tokenizer tokenizer = byte_level();
  Detokenizer first(tokenizer);
  std::string a;
  first.push(*tokenizer.find("\u00C3"), a);
  Detokenizer second = first;
  std::string b;
  first.push(*tokenizer.find("\u00A9"), a);
  second.finish(b);
  EXPECT_EQ(a, "\u00E9");
  EXPECT_EQ(b, "\uFFFD");
}

TEST(Detokenizer, RefusesATokenThatIsNotThere) {
  const Tokenizer tokenizer = byte_level();
  Detokenizer detokenizer(tokenizer);
  std::string out;
  EXPECT_THROW(detokenizer.push(tokenizer.vocab_size(), out), InvalidArgument);
  EXPECT_THROW(detokenizer.push(-1, out), InvalidArgument);
}

}  // namespace
}  // namespace caravel::text
