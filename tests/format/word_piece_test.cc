#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/utf8.h"
#include "caravel/error.h"
#include "caravel/tokenizer.h"
#include "expect_error.h"
#include "fixtures.h"
#include "format/hf/tokenizer_json.h"
#include "text/bert_text.h"
#include "text/tokenizer_data.h"

namespace caravel::format {
namespace {

using nlohmann::json;
using Ids = std::vector<int32_t>;

/// CRC-32 (IEEE 802.3), as zlib has it.
class Crc {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) state_ = table()[(state_ ^ static_cast<uint8_t>(c)) & 0xFF] ^ (state_ >> 8);
  }
  uint32_t value() const { return ~state_; }

 private:
  static const std::array<uint32_t, 256>& table() {
    static const std::array<uint32_t, 256> kTable = [] {
      std::array<uint32_t, 256> table{};
      for (uint32_t i = 0; i < 256; ++i) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? 0xEDB88320U ^ (c >> 1) : c >> 1;
        table[i] = c;
      }
      return table;
    }();
    return kTable;
  }
  uint32_t state_ = ~0U;
};

std::string utf8(char32_t c) {
  std::string text;
  append_utf8(c, text);
  return text;
}

template <typename Each>
uint32_t crc_over_unicode(const Each& each) {
  Crc crc;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    crc.add(each(c));
    crc.add("\n");
  }
  return crc.value();
}

/// What `tokenizers` makes of texts, and of every character (tests/fixtures/tokenizers/make_word_piece.py).
class WordPieceGolden : public testing::Test {
 protected:
  TokenizerData data_of(const json& known) const {
    json file = golden["tokenizer"];
    file["normalizer"] = known["normalizer"];
    return read_tokenizer_json(file.dump(), "word_piece.json");
  }
  json golden = json::parse(read_file(tests::fixtures() + "/tokenizers/word_piece.json"));
};

TEST_F(WordPieceGolden, EncodesAndDecodesAsTokenizersDoesWithoutCuttingOrPadding) {
  for (const json& known : golden["cases"]) {
    const Tokenizer tokenizer(data_of(known));
    for (size_t i = 0; i < golden["texts"].size(); ++i) {
      const auto text = golden["texts"][i].get<std::string>();
      ASSERT_EQ(tokenizer.encode(text), known["ids"][i].get<Ids>()) << golden["texts"][i] << known["normalizer"];
      if (i >= known["text"].size()) continue;
      ASSERT_EQ(tokenizer.decode(known["ids"][i].get<Ids>(), false), known["text"][i]);
      ASSERT_EQ(tokenizer.decode(known["ids"][i].get<Ids>()), known["shown"][i]);
    }
  }
}

TEST_F(WordPieceGolden, EveryCharacterIsNormalisedAsTokenizersDoes) {
  for (const json& known : golden["cases"]) {
    const TokenizerData::BertCleaning how = data_of(known).normalizer.front().bert.value();
    EXPECT_EQ(crc_over_unicode([&](char32_t c) { return text::bert_cleaned(utf8(c), how); }), known["crc"])
        << known["normalizer"];
  }
}

TEST_F(WordPieceGolden, EveryCharacterPartsWordsAsTokenizersDoes) {
  const auto class_of = [](char32_t c) {
    int words = 0;
    text::for_each_bert_word(std::string("a").append(utf8(c)).append("b"), [&](size_t, size_t) { ++words; });
    return std::string(1, static_cast<char>('0' + words - 1));
  };
  EXPECT_EQ(crc_over_unicode(class_of), golden["classes_crc"]);
}

TEST_F(WordPieceGolden, BertProcessingIsATemplateToo) {
  json file = golden["tokenizer"];
  file["post_processor"] = {{"type", "BertProcessing"}, {"sep", {"[SEP]", 3}}, {"cls", {"[CLS]", 2}}};
  const Ids ids = Tokenizer(read_tokenizer_json(file.dump(), "tokenizer.json")).encode("");
  EXPECT_EQ(ids, (Ids{2, 3}));
  file["post_processor"]["cls"] = {"[CLS]", 100000};
  expect_error<FormatError>("BertProcessing without a token cls",
                            [&] { read_tokenizer_json(file.dump(), "tokenizer.json"); });
}

TEST_F(WordPieceGolden, AModelWithoutItsUnknownTokenIsRefused) {
  json file = golden["tokenizer"];
  file["model"]["unk_token"] = "[NONE]";
  expect_error<FormatError>("unknown token is not in its vocabulary",
                            [&] { Tokenizer(read_tokenizer_json(file.dump(), "tokenizer.json")); });
}

}  // namespace
}  // namespace caravel::format
