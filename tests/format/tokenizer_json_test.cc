#include "format/hf/tokenizer_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "expect_error.h"
#include "text/tokenizer_data.h"

namespace caravel::format {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using Step = TokenizerData::SplitStep;

json byte_level() {
  return json::parse(R"({
    "added_tokens": [{"id": 4, "content": "<|end|>", "special": true, "lstrip": true, "normalized": false},
                     {"id": 6, "content": "<tool>", "special": false, "single_word": true, "rstrip": true}],
    "normalizer": {"type": "NFC"},
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
    "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "c": 3}, "merges": [["a", "b"]], "ignore_merges": true}})");
}

json sentencepiece() {
  return json::parse(R"({
    "normalizer": {"type": "Sequence", "normalizers": [
      {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
    "model": {"type": "BPE", "vocab": {"<unk>": 0, "<0x0A>": 1, "▁": 2, "▁a": 3, "a": 4}, "merges": ["▁ a"],
              "byte_fallback": true, "unk_token": "<unk>", "fuse_unk": true, "dropout": null,
              "continuing_subword_prefix": ""}})");
}

TokenizerData read(const json& root) { return read_tokenizer_json(root.dump(), "tokenizer.json"); }

TEST(TokenizerJson, ReadsByteLevelBpe) {
  const TokenizerData data = read(byte_level());
  EXPECT_EQ(data.kind, TokenizerKind::kByteLevelBpe);
  ASSERT_EQ(data.normalizer.size(), 1U);
  EXPECT_EQ(data.normalizer[0].form, TokenizerData::Normalization::kNfc);
  EXPECT_TRUE(data.ignore_merges);
  EXPECT_FALSE(data.byte_fallback || data.fuse_unknown || data.bos_in_chats);
  EXPECT_TRUE(data.prefix_ids.empty() && data.suffix_ids.empty());
  EXPECT_THAT(data.merges, ElementsAre(std::pair("a", "b")));
  ASSERT_EQ(data.tokens.size(), 7U);
  EXPECT_EQ(data.tokens[2].text, "ab");
  EXPECT_EQ(data.tokens[4].type, TokenType::kControl);
  EXPECT_TRUE(data.tokens[4].lstrip && !data.tokens[4].rstrip);
  EXPECT_EQ(data.tokens[5].type, TokenType::kUnused) << "an id that nobody has";
  EXPECT_EQ(data.tokens[6].type, TokenType::kUserDefined);
  EXPECT_TRUE(data.tokens[6].single_word && data.tokens[6].rstrip);
}

TEST(TokenizerJson, ReadsSentencePieceStyleBpe) {
  const TokenizerData data = read(sentencepiece());
  EXPECT_EQ(data.kind, TokenizerKind::kSentencePieceBpe);
  EXPECT_TRUE(data.byte_fallback && data.fuse_unknown);
  ASSERT_EQ(data.normalizer.size(), 2U);
  EXPECT_EQ(data.normalizer[0].content, "▁");
  EXPECT_EQ(data.normalizer[1].pattern, " ");
  EXPECT_FALSE(data.merges_by_score);
  EXPECT_THAT(data.merges, ElementsAre(std::pair("▁", "a"))) << "merges in the old spelling";
  EXPECT_EQ(data.unknown_id, 0);
  EXPECT_EQ(data.tokens[0].type, TokenType::kNormal) << "no added token: in a text it is a word like others";
  EXPECT_EQ(data.tokens[1].type, TokenType::kByte);
}

TEST(TokenizerJson, MetaspaceSaysWhetherASpaceGoesBeforeAndWhetherWordsAreSplit) {
  json root = sentencepiece();
  root["normalizer"] = nullptr;
  root["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "never"}, {"split", false}};
  TokenizerData data = read(root);
  ASSERT_EQ(data.split_steps.size(), 1U);
  EXPECT_EQ(data.split_steps[0].prefix, Step::Prefix::kNever);
  EXPECT_FALSE(data.split_steps[0].splits);
  root["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "first"}};
  data = read(root);
  ASSERT_EQ(data.split_steps.size(), 1U);
  EXPECT_EQ(data.split_steps[0].prefix, Step::Prefix::kFirst);
  EXPECT_EQ(data.split_steps[0].space_mark, "▁");
  EXPECT_TRUE(data.split_steps[0].splits);
  EXPECT_EQ(data.split_steps[0].behavior, Step::Behavior::kMergedWithNext);
  EXPECT_FALSE(data.split_steps[0].is_regex);
}

TEST(TokenizerJson, SplitStepsComeInOrder) {
  json root = byte_level();
  root["pre_tokenizer"] = json::parse(R"({"type": "Sequence", "pretokenizers": [
    {"type": "Digits", "individual_digits": true},
    {"type": "Digits", "individual_digits": false},
    {"type": "Split", "pattern": {"Regex": "x+"}, "behavior": "Removed", "invert": true},
    {"type": "Split", "pattern": {"String": "."}, "behavior": "MergedWithPrevious"},
    {"type": "ByteLevel", "add_prefix_space": false}]})");
  const TokenizerData data = read(root);
  ASSERT_EQ(data.split_steps.size(), 5U);
  EXPECT_EQ(data.split_steps[0].pattern, "\\p{N}");
  EXPECT_EQ(data.split_steps[1].pattern, "\\p{N}+");
  EXPECT_EQ(data.split_steps[2].pattern, "x+");
  EXPECT_EQ(data.split_steps[2].behavior, Step::Behavior::kRemoved);
  EXPECT_TRUE(data.split_steps[2].invert && data.split_steps[2].is_regex);
  EXPECT_EQ(data.split_steps[3].pattern, ".");
  EXPECT_FALSE(data.split_steps[3].is_regex);
  EXPECT_EQ(data.split_steps[3].behavior, Step::Behavior::kMergedWithPrevious);
  EXPECT_THAT(data.split_steps[4].pattern, testing::StartsWith("'s|'t|")) << "GPT-2's own, where ByteLevel splits";
}

TEST(TokenizerJson, GemmasSplitAtReplacedSpacesIsNone) {
  json root = sentencepiece();
  root["pre_tokenizer"] =
      json::parse(R"({"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious"})");
  EXPECT_TRUE(read(root).split_steps.empty());
}

TEST(TokenizerJson, TheTemplateSaysWhatGoesFirstAndLast) {
  json root = byte_level();
  root["post_processor"] = json::parse(R"({"type": "Sequence", "processors": [
    {"type": "ByteLevel", "trim_offsets": false},
    {"type": "TemplateProcessing",
     "single": [{"SpecialToken": {"id": "<|end|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "c", "type_id": 0}}],
     "special_tokens": {"<|end|>": {"ids": [4]}, "c": {"ids": [3]}}}]})");
  const TokenizerData data = read(root);
  EXPECT_THAT(data.prefix_ids, ElementsAre(4));
  EXPECT_THAT(data.suffix_ids, ElementsAre(3));
  EXPECT_EQ(data.bos_id, 4);
  EXPECT_EQ(data.eos_id, 3);
  root["post_processor"]["processors"][1]["special_tokens"]["c"]["ids"][0] = 99;
  expect_error<FormatError>("TemplateProcessing names c, which has no id", [&] { read(root); });
}

TEST(TokenizerJson, RefusesPiecesByName) {
  const auto refuse = [](const char* pointer, const json& value, const std::string& message) {
    json root = byte_level();
    root[json::json_pointer(pointer)] = value;
    expect_error<Unsupported>(message, [&] { read(root); });
  };
  refuse("/model/type", "Unigram", "tokenizer model Unigram is not supported; Caravel reads BPE");
  refuse("/model/end_of_word_suffix", "</w>", "BPE with end_of_word_suffix");
  refuse("/model/dropout", 0.1, "BPE with dropout");
  refuse("/normalizer", {{"type", "Lowercase"}}, "normalizer Lowercase is not supported");
  refuse("/normalizer", {{"type", "Replace"}, {"pattern", {{"Regex", "x+"}}}, {"content", "y"}},
         "normalizer Replace of a regular expression");
  refuse("/pre_tokenizer", {{"type", "Whitespace"}}, "pre-tokenizer Whitespace is not supported");
  refuse("/pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", true}}, "ByteLevel with add_prefix_space");
  refuse("/pre_tokenizer/type", "Metaspace", "Metaspace with replacement");
  refuse("/decoder", {{"type", "CTC"}}, "decoder CTC is not supported");
  const auto decoders = [](const char* list) { return json{{"type", "Sequence"}, {"decoders", json::parse(list)}}; };
  refuse("/decoder", decoders(R"([{"type": "Fuse"}, {"type": "ByteFallback"}])"),
         "joined already, decoder ByteFallback");
  refuse("/decoder", decoders(R"([{"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 1}])"),
         "joined already, decoder Strip");
  refuse("/decoder",
         decoders(R"([{"type": "ByteFallback"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}])"),
         "after ByteFallback, decoder Strip");
  const auto templates = [](const char* single) {
    return json{
        {"type", "TemplateProcessing"}, {"single", json::parse(single)}, {"special_tokens", {{"c", {{"ids", {3}}}}}}};
  };
  refuse("/post_processor", templates(R"([{"Sequence": {"id": "A"}}, {"Sequence": {"id": "A"}}])"),
         "give the text once");
  refuse("/post_processor", templates(R"([{"Sequence": {"id": "B"}}])"), "TemplateProcessing of a pair");
  const json one = templates(R"([{"SpecialToken": {"id": "c"}}, {"Sequence": {"id": "A"}}])");
  refuse("/post_processor", {{"type", "Sequence"}, {"processors", {one, one}}}, "Sequence with several templates");
  refuse("/post_processor", {{"type", "RobertaProcessing"}}, "post-processor RobertaProcessing is not supported");
  json bert = byte_level();
  bert["post_processor"] = {{"type", "BertProcessing"}};
  expect_error<FormatError>("BertProcessing without a token cls of the vocabulary", [&] { read(bert); });
  refuse("/pre_tokenizer", nullptr, "neither byte-level nor writes spaces as ▁");
}

TEST(TokenizerJson, RefusesFlagsThatAreNeitherTrueNorFalse) {
  for (const char* const flag : {"/model/ignore_merges", "/added_tokens/0/special", "/pre_tokenizer/use_regex"}) {
    json root = byte_level();
    const json::json_pointer place(flag);
    root[place] = nullptr;  // as absent
    EXPECT_NO_THROW(read(root)) << flag;
    root[place] = 1;
    expect_error<FormatError>(place.back() + " is 1; it must be true or false", [&] { read(root); });
  }
}

TEST(TokenizerJson, RefusesWhatMakesNoSense) {
  const auto refuse = [](const char* pointer, const json& value, const std::string& message) {
    json root = byte_level();
    root[json::json_pointer(pointer)] = value;
    expect_error<FormatError>(message, [&] { read(root); });
  };
  refuse("/model", 3, "not a tokenizer.json");
  refuse("/model/vocab", json::array(), "without vocab or merges");
  refuse("/model/vocab/a", 1U, "have the same id");
  refuse("/model/vocab/a", -1, "token a has an id");
  refuse("/model/vocab/a", 2'000'000'000, "token a has an id");
  refuse("/added_tokens/0/id", uint64_t{1} << 63, "token <|end|> has an id");
  refuse("/added_tokens/0", 5, "an added token without id or content");
  refuse("/model/merges/0", "ab", "merge 0 is not two tokens");
  refuse("/model/merges/0", json::array({"a"}), "merge 0 is not two tokens");
  refuse("/model/merges/0", json::array({"a", 1}), "merge 0 is not two tokens");
  refuse("/model/merges/0", json::array({"a", json::array({"b"})}), "merge 0 is not two tokens");
  refuse("/model/merges/0", json::object({{"a", "b"}}), "merge 0 is not two tokens");
  refuse("/model/merges", "a b", "model.merges is not a list");
  refuse("/model/vocab/a", json::object({{"id", 0}}), "token a has an id");
  refuse("/pre_tokenizer", "ByteLevel", "pre_tokenizer is not an object");
  refuse("/normalizer/type", "Sequence", "normalizer is a Sequence without normalizers");
}

}  // namespace
}  // namespace caravel::format
