#include "caravel/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "text/normalizer.h"
#include "text/tokenizer_data.h"
#include "text/tokenizer_fixture.h"
#include "text/unicode.h"

namespace caravel::text {
namespace {

using Ids = std::vector<int32_t>;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr EncodeOptions kPlain{.add_special = false, .parse_special = false};

TokenizerData byte_level_data(const std::string& pre_tokenizer) {
  TokenizerData data = load_tokenizer_fixture("byte_level.json").data;
  data.pre_tokenizer = pre_tokenizer;
  return data;
}

TokenizerData without_added(TokenizerData data) {
  std::erase_if(data.tokens, [](const auto& token) { return token.type == TokenType::kUserDefined; });
  return data;
}

void expect_golden(const Tokenizer& tokenizer, const std::vector<std::string>& texts, const nlohmann::json& golden) {
  ASSERT_EQ(texts.size(), golden.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const Ids ids = tokenizer.encode(texts[i], kPlain);
    EXPECT_EQ(ids, golden[i].get<Ids>()) << i << ": " << testing::PrintToString(texts[i]);
  }
}

class ByteLevel : public testing::TestWithParam<std::string> {};

TEST_P(ByteLevel, EncodesAsTokenizersDoes) {
  const TokenizerFixture fixture = load_tokenizer_fixture("byte_level.json");
  TokenizerData data = without_added(fixture.data);
  data.pre_tokenizer = GetParam();
  const Tokenizer tokenizer(data);
  expect_golden(tokenizer, fixture_texts(), fixture.json["golden"][GetParam()]);
}

INSTANTIATE_TEST_SUITE_P(PreTokenizers, ByteLevel, testing::Values("gpt-2", "smollm", "llama-bpe", "qwen2"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(Tokenizer, SplitStepsServeWhereNoNameIsGiven) {
  const TokenizerFixture fixture = load_tokenizer_fixture("byte_level.json");
  TokenizerData data = without_added(fixture.data);
  data.split_steps = {{.pattern = R"(\p{N})"},
                      {.pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"}};
  expect_golden(Tokenizer(data), fixture_texts(), fixture.json["golden"]["smollm"]);
}

TEST(Tokenizer, AddedTokensFollowTheirFlags) {
  const TokenizerFixture fixture = load_tokenizer_fixture("byte_level.json");
  TokenizerData data = fixture.data;
  data.pre_tokenizer = "smollm";
  data.normalizer = {{.form = TokenizerData::Normalization::kNfc}};
  const Tokenizer tokenizer(data);
  const auto texts = fixture.json["own_texts"].get<std::vector<std::string>>();
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(tokenizer.encode(texts[i], {.add_special = false}), fixture.json["own_golden"][i].get<Ids>())
        << i << ": " << testing::PrintToString(texts[i]);
  }
}

TEST(Tokenizer, SentencePieceByScoreEncodesAsSentencePieceDoes) {
  const TokenizerFixture fixture = load_tokenizer_fixture("sentencepiece.json");
  TokenizerData data = fixture.data;
  for (const bool prefix : {false, true}) {
    data.normalizer = sentencepiece_normalizer(prefix);
    const Tokenizer tokenizer(data);
    expect_golden(tokenizer, fixture_texts(), fixture.json["golden"][prefix ? "prefix" : "plain"]);
  }
}

TEST(Tokenizer, SentencePieceByRankEncodesAsTokenizersDoes) {
  const TokenizerFixture fixture = load_tokenizer_fixture("ranked.json");
  expect_golden(Tokenizer(fixture.data), fixture_texts(), fixture.json["golden"]["plain"]);
}

TEST(Tokenizer, ByteLevelGivesEveryTextBack) {
  const Tokenizer tokenizer(byte_level_data("smollm"));
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes(random() % 60, '\0');
    for (char& c : bytes)
      c = static_cast<char>(round % 2 ? random() % 256 : "\xE2\x82\xAC\xF0\x9F\x98\x80 a1\n'"[random() % 12]);
    std::string mended;
    if (append_complete_utf8(bytes, mended) > 0) mended += kReplacement;
    ASSERT_EQ(tokenizer.decode(tokenizer.encode(bytes, kPlain)), mended) << testing::PrintToString(bytes);
  }
  for (const std::string& text : fixture_texts()) EXPECT_EQ(tokenizer.decode(tokenizer.encode(text, kPlain)), text);
}

TEST(Tokenizer, SentencePieceGivesTextBackButForItsSpaceMark) {
  TokenizerData data = load_tokenizer_fixture("sentencepiece.json").data;
  for (const bool prefix : {false, true}) {
    data.normalizer = sentencepiece_normalizer(prefix);
    const Tokenizer tokenizer(data);
    for (const std::string& text : fixture_texts()) {
      if (text.find("\u2581") != std::string::npos) continue;
      EXPECT_EQ(tokenizer.decode(tokenizer.encode(text, kPlain)), text);
    }
  }
}

TEST(Tokenizer, NoTextHasFewerTokensThanTheBoundSays) {
  TokenizerData composed = without_added(byte_level_data("qwen2"));  // by canonical composition
  TokenizerData removing = without_added(byte_level_data("smollm"));
  removing.normalizer = {{.pattern = "abc", .content = "d"}};
  TokenizerData stripping = without_added(byte_level_data("smollm"));
  stripping.tokens.back().rstrip = true;
  const std::vector<std::pair<Tokenizer, bool>> all = [&] {
    std::vector<std::pair<Tokenizer, bool>> list;
    list.emplace_back(Tokenizer(without_added(byte_level_data("smollm"))), true);
    list.emplace_back(Tokenizer(composed), true);
    list.emplace_back(Tokenizer(load_tokenizer_fixture("sentencepiece.json").data), true);
    list.emplace_back(Tokenizer(load_tokenizer_fixture("ranked.json").data), true);
    list.emplace_back(Tokenizer(removing), false);
    list.emplace_back(Tokenizer(stripping), false);
    return list;
  }();
  std::vector<std::string> texts = fixture_texts();
  texts.emplace_back(3000, ' ');
  texts.emplace_back(3000, 'a');
  for (const char* part : {"\u212A", "\u1112\u1161\u11AB", "\u03B1\u0314\u0300\u0345", "K\u0327", "\x01", "\u2581"}) {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += part;
    texts.push_back(text);
  }
  for (const auto& [tokenizer, is_bounded] : all) {
    size_t most = 0;
    for (const std::string& text : texts) {
      const size_t least = tokenizer.least_tokens(text);
      EXPECT_LE(least, tokenizer.encode(text, kPlain).size()) << testing::PrintToString(text.substr(0, 40));
      most = std::max(most, least);
    }
    EXPECT_EQ(most > 0, is_bounded);
  }
}

TEST(Tokenizer, ControlTokensInTextAreParsedOnlyWhenAsked) {
  const Tokenizer tokenizer(byte_level_data("smollm"));
  const std::string text = "<|im_start|>hi<|im_end|>";
  const Ids parsed = tokenizer.encode(text, {.add_special = false});
  EXPECT_EQ(parsed.front(), 1);
  EXPECT_EQ(parsed.back(), 2);
  const Ids plain = tokenizer.encode(text, kPlain);
  for (const int32_t id : plain) EXPECT_EQ(tokenizer.token_type(id), TokenType::kNormal);
  EXPECT_EQ(tokenizer.decode(plain), text);
  EXPECT_EQ(tokenizer.decode(parsed), "hi");
  EXPECT_EQ(tokenizer.decode(parsed, false), text);
  // A user-defined token is found either way.
  EXPECT_EQ(tokenizer.encode("<left>", kPlain), (Ids{*tokenizer.find("<left>")}));
}

TEST(Tokenizer, PlainTextNeverBecomesAControlOrByteToken) {
  // "<s>" and "<0x0A>" could be merged from their letters: no piece but a normal one may come of it.
  TokenizerData data;
  data.kind = TokenizerKind::kSentencePieceBpe;
  data.merges_by_score = true;
  data.tokens = {{.text = "<unk>", .type = TokenType::kUnknown}, {.text = "<s>", .type = TokenType::kControl}};
  for (const char* piece : {"<", "s", ">", "<s", "s>"}) data.tokens.push_back({.text = piece});
  data.unknown_id = 0;
  const Tokenizer tokenizer(data);
  EXPECT_THAT(tokenizer.encode("<s>", kPlain), ElementsAre(5, 4));
  EXPECT_THAT(tokenizer.encode("<s>"), ElementsAre(1));
}

TEST(Tokenizer, BosAndEosAreAddedWhereTheModelWantsThem) {
  TokenizerData data = byte_level_data("smollm");
  data.bos_id = 1;
  data.eos_id = 2;
  EXPECT_THAT(Tokenizer(data).encode(""), ElementsAre());
  EXPECT_FALSE(Tokenizer(data).adds_bos());
  data.prefix_ids = {1};
  data.suffix_ids = {2};
  const Tokenizer tokenizer(data);
  EXPECT_TRUE(tokenizer.adds_bos());
  EXPECT_THAT(tokenizer.encode(""), ElementsAre(1, 2));
  EXPECT_THAT(tokenizer.encode("", {.add_special = false}), ElementsAre());
}

TEST(Tokenizer, ASpaceComesBeforeTextAfterASpecialToken) {
  TokenizerData data = load_tokenizer_fixture("sentencepiece.json").data;
  data.normalizer = sentencepiece_normalizer(true);
  const Tokenizer tokenizer(data);
  const Ids hello = tokenizer.encode("Hello", kPlain);
  Ids expected = hello;
  expected.push_back(*tokenizer.find("</s>"));
  expected.insert(expected.end(), hello.begin(), hello.end());
  EXPECT_EQ(tokenizer.encode("Hello</s>Hello", {.add_special = false}), expected);
}

TEST(Tokenizer, IgnoreMergesTakesAWholeTokenAsItIs) {
  TokenizerData data;
  for (const char* token : {"a", "b", "c", "ab", "abc"}) data.tokens.push_back({.text = token});
  data.merges = {{"a", "b"}};
  EXPECT_THAT(Tokenizer(data).encode("abc"), ElementsAre(3, 2));
  data.ignore_merges = true;
  EXPECT_THAT(Tokenizer(data).encode("abc"), ElementsAre(4));
  EXPECT_THAT(Tokenizer(data).encode("abcc"), ElementsAre(3, 2, 2));
}

TEST(Tokenizer, EqualPairsMergeFromTheLeft) {
  TokenizerData data;
  for (const char* token : {"a", "aa", "aaaa"}) data.tokens.push_back({.text = token});
  data.merges = {{"a", "a"}, {"aa", "aa"}};
  EXPECT_THAT(Tokenizer(data).encode("aaaaaaa"), ElementsAre(2, 1, 0));
}

TEST(Tokenizer, WithoutByteTokensARunOfUnknownCharactersIsOneToken) {
  TokenizerData data = load_tokenizer_fixture("ranked.json").data;
  data.byte_fallback = false;
  const Tokenizer tokenizer(data);
  const Ids ids = tokenizer.encode(
      "a\U0001F600\U0001F601"
      "b\U0001F602",
      kPlain);
  EXPECT_THAT(ids, ElementsAre(*tokenizer.find("a"), 0, *tokenizer.find("b"), 0));
}

TEST(Tokenizer, KnowsItsTokens) {
  const TokenizerData data = byte_level_data("smollm");
  const Tokenizer tokenizer(data);
  EXPECT_EQ(tokenizer.find("<|im_end|>"), 2);
  EXPECT_EQ(tokenizer.find("no such token"), std::nullopt);
  EXPECT_EQ(tokenizer.token_bytes(2), "<|im_end|>");
  EXPECT_EQ(tokenizer.token_bytes(*tokenizer.find("\u0120")), " ");
  EXPECT_EQ(tokenizer.token_bytes(*tokenizer.find("\u010A")), "\n");
  EXPECT_EQ(tokenizer.token_bytes(*tokenizer.find("\u00F0")), "\xF0");
  EXPECT_EQ(tokenizer.vocab_size(), static_cast<int>(data.tokens.size()));
  EXPECT_EQ(tokenizer.token_text(*tokenizer.find("\u0120")), "\u0120");
  EXPECT_EQ(tokenizer.bos_text(), data.bos_id ? tokenizer.token_text(*data.bos_id) : "");
  EXPECT_EQ(tokenizer.eos_text(), data.eos_id ? tokenizer.token_text(*data.eos_id) : "");
  EXPECT_FALSE(tokenizer.adds_space_prefix());
  EXPECT_THROW(tokenizer.token_text(tokenizer.vocab_size()), InvalidArgument);
  EXPECT_THROW(tokenizer.token_bytes(-1), InvalidArgument);
  EXPECT_THROW(tokenizer.token_bytes(tokenizer.vocab_size()), InvalidArgument);
  EXPECT_THROW(tokenizer.decode(Ids{tokenizer.vocab_size()}), InvalidArgument);
  const Tokenizer sentence_piece(load_tokenizer_fixture("sentencepiece.json").data);
  EXPECT_EQ(sentence_piece.token_bytes(*sentence_piece.find("<0xE2>")), "\xE2");
  EXPECT_EQ(sentence_piece.token_bytes(*sentence_piece.find("\u2581")), " ");
}

TEST(Tokenizer, RefusesDataThatContradictThemselves) {
  TokenizerData data = byte_level_data("smollm");
  data.merges.emplace_back("q", "no such token");
  try {
    Tokenizer{data};
    FAIL();
  } catch (const FormatError& error) {
    EXPECT_THAT(error.what(), HasSubstr("no such token"));
  }
  data = byte_level_data("smollm");
  data.bos_id = 100'000;
  EXPECT_THROW(Tokenizer{data}, FormatError);
  data = byte_level_data("smollm");
  data.suffix_ids = {100'000};
  EXPECT_THROW(Tokenizer{data}, FormatError);
  EXPECT_THROW(Tokenizer{byte_level_data("no-such-pre")}, Unsupported);
  EXPECT_EQ(Tokenizer{TokenizerData{}}.encode("text of a model without a vocabulary").size(), 0u);
}

TEST(Tokenizer, HostileLengthsTakeTheTimeOfTheirBytes) {
  // Merging that scans for the best pair each time would take hours here.
  const Tokenizer byte_level(byte_level_data("smollm"));
  const Tokenizer by_score(load_tokenizer_fixture("sentencepiece.json").data);
  const Tokenizer by_rank(load_tokenizer_fixture("ranked.json").data);
  for (const char* unit : {"a", " ", "\n", "<", "e\u0301", "\U0001F600"}) {
    std::string text;
    while (text.size() < 500'000) text += unit;
    for (const Tokenizer* tokenizer : {&byte_level, &by_score, &by_rank}) {
      EXPECT_EQ(tokenizer->decode(tokenizer->encode(text, kPlain)), text);
    }
  }
}

TEST(Tokenizer, ManyThreadsMayEncodeAtOnce) {
  const Tokenizer tokenizer(byte_level_data("qwen2"));
  std::vector<Ids> expected;
  for (const std::string& text : fixture_texts()) expected.push_back(tokenizer.encode(text));
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (size_t i = 0; i < fixture_texts().size(); ++i) count += tokenizer.encode(fixture_texts()[i]) != expected[i];
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ElementsAre(0, 0, 0, 0));
}

}  // namespace
}  // namespace caravel::text
