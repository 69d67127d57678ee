#include "text/decoder.h"

#include <gtest/gtest.h>

#include <string>

#include "text/normalizer.h"
#include "text/tokenizer_data.h"

namespace caravel::text {
namespace {

using Kind = TokenizerData::DecoderStep::Kind;

TEST(Decoder, GoesByTheKindWhereAFileHasNone) {
  TokenizerData data;
  EXPECT_EQ(Decoder(data).bytes({.text = "\u0120a"}, false), " a");
  EXPECT_EQ(Decoder(data).bytes({.text = "\u0120a", .type = TokenType::kUserDefined}, false), "\u0120a");
  EXPECT_FALSE(Decoder(data).drops_leading_space());
  data.kind = TokenizerKind::kSentencePieceBpe;
  data.normalizer = sentencepiece_normalizer(false);
  EXPECT_EQ(Decoder(data).bytes({.text = "\u2581a\u2581"}, true), " a ");
  EXPECT_EQ(Decoder(data).bytes({.text = "<0x0A>", .type = TokenType::kByte}, false), "\n");
  EXPECT_EQ(Decoder(data).bytes({.text = "<0x0A>"}, false), "<0x0A>") << "an ordinary token of that name";
  EXPECT_FALSE(Decoder(data).drops_leading_space());
  data.normalizer = sentencepiece_normalizer(true);
  EXPECT_TRUE(Decoder(data).drops_leading_space());
}

TEST(Decoder, ControlTokensKeepTheirName) {
  TokenizerData data;
  data.decoder = {{.kind = Kind::kReplace, .pattern = "|", .content = "!"}};
  EXPECT_EQ(Decoder(data).bytes({.text = "<|a|>", .type = TokenType::kControl}, false), "<|a|>");
  EXPECT_EQ(Decoder(data).bytes({.text = "<|a|>"}, false), "<!a!>");
}

TEST(Decoder, AnAddedTokenStandsForWhatIsLookedFor) {
  TokenizerData data;
  data.normalizer = {{.content = "_"}, {.pattern = " ", .content = "_"}};
  data.decoder = {{.kind = Kind::kReplace, .pattern = "_", .content = " "}};
  EXPECT_EQ(Decoder(data).bytes({.text = "a b", .type = TokenType::kUserDefined, .normalized = true}, false), " a b");
  EXPECT_EQ(Decoder(data).bytes({.text = "a b", .type = TokenType::kUserDefined}, false), "a b");
}

TEST(Decoder, MetaspaceDropsTheFirstTokensMarks) {
  TokenizerData data;
  data.decoder = {{.kind = Kind::kMetaspace, .pattern = "_", .strips_text = true}};
  const Decoder decoder(data);
  EXPECT_TRUE(decoder.has_first_form() && decoder.drops_leading_space());
  EXPECT_EQ(decoder.bytes({.text = "__a_b"}, true), "ab");
  EXPECT_EQ(decoder.bytes({.text = "__a_b"}, false), "  a b");
  data.decoder[0].strips_text = false;
  EXPECT_FALSE(Decoder(data).has_first_form());
  EXPECT_EQ(Decoder(data).bytes({.text = "_a"}, true), " a");
}

TEST(Decoder, StripsEachTokenOrTheWholeText) {
  TokenizerData data;
  data.decoder = {{.kind = Kind::kStrip, .pattern = "-", .start = 2, .stop = 1}};
  EXPECT_EQ(Decoder(data).bytes({.text = "---a--"}, false), "-a-");
  EXPECT_EQ(Decoder(data).leading().most, 0U);
  data.decoder[0].strips_text = true;
  EXPECT_EQ(Decoder(data).bytes({.text = "---a--"}, true), "---a--");
  EXPECT_EQ(Decoder(data).leading().character, "-");
  EXPECT_EQ(Decoder(data).leading().most, 2U);
}

}  // namespace
}  // namespace caravel::text
