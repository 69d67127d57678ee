#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "caravel/tokenizer.h"
#include "fixtures.h"
#include "format/hf/tokenizer_json.h"
#include "text/tokenizer_data.h"

namespace caravel::format {
namespace {

using nlohmann::json;
using Ids = std::vector<int32_t>;

// Random tokenizers with all kinds of components, and what Hugging Face `tokenizers` makes of texts with them
// (bench/peers/random_tokenizers.py --golden).
TEST(TokenizerGolden, RandomTokenizersEncodeAndDecodeAsTokenizersDoes) {
  const std::string path = tests::fixtures() + "/tokenizers/pipelines.json";
  size_t texts = 0;
  for (const json& entry : json::parse(read_file(path))) {
    const std::string pieces = json{{"normalizer", entry["tokenizer"]["normalizer"]},
                                    {"pre_tokenizer", entry["tokenizer"]["pre_tokenizer"]},
                                    {"decoder", entry["tokenizer"]["decoder"]},
                                    {"added_tokens", entry["tokenizer"]["added_tokens"]}}
                                   .dump();
    const Tokenizer tokenizer(read_tokenizer_json(entry["tokenizer"].dump(), path));
    for (const json& known : entry["cases"]) {
      const auto text = known["of"].get<std::string>();
      const Ids ids = tokenizer.encode(text, {.add_special = false});
      ASSERT_EQ(ids, known["ids"].get<Ids>()) << known["of"] << " of " << pieces;
      ASSERT_EQ(tokenizer.encode(text), known["with_special"].get<Ids>()) << known["of"] << " of " << pieces;
      ASSERT_EQ(tokenizer.decode(ids, false), known["text"].get<std::string>()) << known["of"] << " of " << pieces;
      ASSERT_EQ(tokenizer.decode(ids), known["shown"].get<std::string>()) << known["of"] << " of " << pieces;
      ++texts;
    }
  }
  EXPECT_GT(texts, 300U);
}

// A small Llama-like vocabulary; `pieces` are put into the file.
struct Small {
  explicit Small(const json& pieces, bool unk_is_added = true, bool fuse = true, int missing_byte = -1) {
    json vocabulary;
    const auto add = [&](const std::string& token) { vocabulary[token] = vocabulary.size(); };
    for (const char* token : {"<unk>", "<s>", "</s>", "▁", "h", "i", "▁▁", "hi", "▁hi", "<", "u", "n", "k", ">"})
      add(token);
    for (int byte = 0xC0; byte < 0xE0; ++byte) {
      const std::string hex = "0123456789ABCDEF";
      const auto name =
          std::string("<0x") + hex[static_cast<size_t>(byte >> 4)] + hex[static_cast<size_t>(byte & 15)] + ">";
      if (byte != missing_byte) add(name);
    }
    for (const char* token : {"<0x96>", "<0xA9>"}) add(token);
    json root = {{"model",
                  {{"type", "BPE"},
                   {"vocab", vocabulary},
                   {"merges", {"▁ ▁", "h i", "▁ hi"}},
                   {"unk_token", "<unk>"},
                   {"byte_fallback", true},
                   {"fuse_unk", fuse}}}};
    for (const char* name : {"<unk>", "<s>", "</s>"}) {
      if (name != std::string("<unk>") || unk_is_added) {
        root["added_tokens"].push_back({{"id", vocabulary[name]}, {"content", name}, {"special", true}});
      }
    }
    root.update(pieces, true);
    data = read_tokenizer_json(root.dump(), "tokenizer.json");
  }

  std::vector<std::string> tokens(const std::string& text) const {
    const Tokenizer tokenizer(data);
    std::vector<std::string> names;
    for (const int32_t id : tokenizer.encode(text)) names.emplace_back(tokenizer.token_text(id));
    return names;
  }

  TokenizerData data;
};

using Names = std::vector<std::string>;

json metaspace(const char* scheme, bool split = false) {
  return {
      {"pre_tokenizer", {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", scheme}, {"split", split}}}};
}

const json kReplace = {{"normalizer", {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "▁"}}}};

TEST(TokenizerGolden, MetaspacePutsItsMarkWhereThereIsNone) {
  const Small first(metaspace("first"));
  EXPECT_EQ(first.tokens("hi"), (Names{"▁hi"}));
  EXPECT_EQ(first.tokens(" hi"), (Names{"▁hi"}));
  EXPECT_EQ(first.tokens("▁hi"), (Names{"▁hi"}));
  EXPECT_EQ(first.tokens("  hi"), (Names{"▁▁", "hi"}));
  EXPECT_EQ(first.tokens("<s> hi"), (Names{"<s>", "▁hi"}));
  EXPECT_EQ(first.tokens("<s>hi"), (Names{"<s>", "hi"}));
  EXPECT_EQ(first.tokens("hi</s>hi"), (Names{"▁hi", "</s>", "hi"}));
  const Small always(metaspace("always"));
  EXPECT_EQ(always.tokens(" hi"), (Names{"▁hi"}));
  EXPECT_EQ(always.tokens("<s> hi</s>hi"), (Names{"<s>", "▁hi", "</s>", "▁hi"}));
  const Small never(metaspace("never"));
  EXPECT_EQ(never.tokens("hi hi"), (Names{"hi", "▁hi"}));
  EXPECT_EQ(Small(metaspace("always", true)).tokens("  hi"), (Names{"▁", "▁hi"})) << "each mark begins a piece";
}

TEST(TokenizerGolden, NormalizersAreSeenByAddedTokensMetaspaceIsNot) {
  Small by_metaspace(metaspace("never"));
  by_metaspace.data.tokens.push_back(
      {.text = "  ", .type = TokenType::kUserDefined, .normalized = true, .in_model = false});
  EXPECT_EQ(by_metaspace.tokens("hi  hi▁▁hi"), (Names{"hi", "  ", "hi", "▁▁", "hi"}));
  Small by_normalizer(kReplace);
  by_normalizer.data.tokens.push_back(
      {.text = "  ", .type = TokenType::kUserDefined, .normalized = true, .in_model = false});
  EXPECT_EQ(by_normalizer.tokens("hi  hi▁▁hi"), (Names{"hi", "  ", "hi", "  ", "hi"}));
  json prepend = kReplace;
  prepend["normalizer"] = {{"type", "Sequence"},
                           {"normalizers", {{{"type", "Prepend"}, {"prepend", "▁"}}, kReplace["normalizer"]}}};
  Small by_prepend(prepend);
  by_prepend.data.tokens.push_back(
      {.text = "X", .type = TokenType::kUserDefined, .normalized = true, .in_model = false});
  EXPECT_EQ(by_prepend.tokens("hi X"), (Names{"▁hi", "X"}));
  EXPECT_EQ(by_prepend.tokens("hiX"), (Names{"▁hi", "<unk>"})) << "its normalised form begins with the mark";
}

TEST(TokenizerGolden, AddedTokensShareTheWhiteSpaceBetweenThem) {
  const auto with = [](bool stripped_left) {
    Small small(kReplace);
    small.data.tokens.push_back({.text = "R", .type = TokenType::kUserDefined, .rstrip = true, .in_model = false});
    small.data.tokens.push_back(
        {.text = "\n", .type = TokenType::kUserDefined, .lstrip = stripped_left, .in_model = false});
    return small.tokens("hiR \nhi");
  };
  EXPECT_EQ(with(false), (Names{"hi", "R", "\n", "hi"})) << "found in what R took";
  EXPECT_EQ(with(true), (Names{"hi", "R", "hi"})) << "nothing is left for it";
}

TEST(TokenizerGolden, AMissingByteConcernsItsCharactersAlone) {
  // é is C3 A9, Ж is D0 96.
  EXPECT_EQ(Small(kReplace).tokens("hiéЖ"), (Names{"hi", "<0xC3>", "<0xA9>", "<0xD0>", "<0x96>"}));
  const Small gap(kReplace, true, true, 0xC3);
  EXPECT_EQ(gap.tokens("hiéЖ"), (Names{"hi", "<0xD0>", "<0x96>", "<unk>"}))
      << "tokenizers writes what waits behind bytes";
  EXPECT_EQ(gap.tokens("éhiЖ"), (Names{"<unk>", "hi", "<0xD0>", "<0x96>"}));
  EXPECT_EQ(gap.tokens("éé"), (Names{"<unk>"}));
  EXPECT_EQ(Small(kReplace, true, false, 0xC3).tokens("éé"), (Names{"<unk>", "<unk>"}));
}

TEST(TokenizerGolden, TheUnknownTokenInATextIsAWordUnlessItIsAdded) {
  EXPECT_EQ(Small(kReplace).tokens("hi<unk>"), (Names{"hi", "<unk>"}));
  const Small not_added(kReplace, false);
  EXPECT_EQ(not_added.tokens("hi<unk>"), (Names{"hi", "<", "u", "n", "k", ">"}));
  EXPECT_EQ(Tokenizer(not_added.data).decode(std::vector<int32_t>{0}), "<unk>") << "and so it is shown";
}

TEST(TokenizerGolden, WhatIsNoTokenAndNoUnknownTokenIsLeftOut) {
  json pieces = kReplace;
  pieces["model"]["unk_token"] = nullptr;
  EXPECT_EQ(Small(pieces, true, true, 0xC3).tokens("héi"), (Names{"hi"})) << "what stood around it merges";
}

TEST(TokenizerGolden, DecodersDecide) {
  const auto decode = [](const json& decoder, const std::string& text) {
    json pieces = metaspace("always");
    pieces["decoder"] = decoder;
    const Tokenizer tokenizer(Small(pieces).data);
    return tokenizer.decode(tokenizer.encode(text));
  };
  const json meta = {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}};
  EXPECT_EQ(decode(meta, "hi hi"), "hi hi");
  EXPECT_EQ(decode(meta, "   hi"), " hi") << "the first token's marks go, all of them";
  EXPECT_EQ(decode(meta, "hié"), "hi<0xC3><0xA9>") << "no ByteFallback";
  EXPECT_EQ(decode({{"type", "Fuse"}}, "hi hi"), "▁hi▁hi");
  const auto sequence = [](int start) {
    return json{{"type", "Sequence"},
                {"decoders",
                 {{{"type", "Replace"}, {"pattern", {{"String", "▁"}}}, {"content", " "}},
                  {{"type", "ByteFallback"}},
                  {{"type", "Fuse"}},
                  {{"type", "Strip"}, {"content", " "}, {"start", start}, {"stop", 0}}}}};
  };
  EXPECT_EQ(decode(sequence(1), "hié"), "hié");
  EXPECT_EQ(decode(sequence(1), "   hi"), "  hi");
  EXPECT_EQ(decode(sequence(2), "   hi"), " hi");
  EXPECT_EQ(decode(sequence(0), "hi"), " hi");
}

}  // namespace
}  // namespace caravel::format
