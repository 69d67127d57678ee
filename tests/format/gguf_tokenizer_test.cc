#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "caravel/request.h"
#include "expect_error.h"
#include "format/weight_source.h"
#include "gguf_builder.h"
#include "temp_folder.h"
#include "text/tokenizer_data.h"

namespace caravel::format {
namespace {

using testing::ElementsAre;

class GgufTokenizer : public testing::Test {
 protected:
  std::unique_ptr<WeightSource> open(const GgufBuilder& builder) {
    return open_weights(folder_.write("model.gguf", builder.bytes()));
  }
  static GgufBuilder byte_level(std::string_view pre = "smollm") {
    GgufBuilder builder;
    builder.text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", pre);
    builder.texts("tokenizer.ggml.tokens", {"<|endoftext|>", "<|im_end|>", "a", "b", "ab", "</s>"});
    builder.i32s("tokenizer.ggml.token_type", {3, 3, 1, 1, 1, 1});
    builder.texts("tokenizer.ggml.merges", {"a b", "  c"});
    return builder;
  }

  TempFolder folder_;
};

TEST_F(GgufTokenizer, ReadsByteLevelBpe) {
  auto builder = byte_level();
  builder.u32("tokenizer.ggml.bos_token_id", 0).u32("tokenizer.ggml.padding_token_id", 0xFFFFFFFF);
  builder.text("tokenizer.chat_template", "{{ x }}").texts("tokenizer.chat_templates", {"rag"});
  builder.text("tokenizer.chat_template.rag", "{{ r }}").text("tokenizer.chat_template.tool_use", "{{ t }}");
  const auto source = open(builder);
  const TokenizerData& data = source->tokenizer();
  EXPECT_EQ(data.kind, TokenizerKind::kByteLevelBpe);
  EXPECT_EQ(data.pre_tokenizer, "smollm");
  EXPECT_EQ(data.tokens[1].type, TokenType::kControl);
  EXPECT_EQ(data.tokens[4].text, "ab");
  EXPECT_THAT(data.merges, ElementsAre(std::pair("a", "b"), std::pair(" ", "c")));
  EXPECT_EQ(data.bos_id, 0);
  EXPECT_EQ(data.pad_id, std::nullopt) << "4294967295 stands for none";
  EXPECT_EQ(data.chat_template, "{{ x }}");
  EXPECT_THAT(data.prefix_ids, ElementsAre());
  EXPECT_FALSE(data.bos_in_chats);
  EXPECT_THAT(data.named_templates, ElementsAre(std::pair("rag", "{{ r }}"), std::pair("tool_use", "{{ t }}")));
  EXPECT_FALSE(data.ignore_merges);
}

TEST_F(GgufTokenizer, Llama3TakesABosUnlessTheFileSaysNo) {
  auto builder = byte_level("llama-bpe");
  builder.u32("tokenizer.ggml.bos_token_id", 1);
  EXPECT_THAT(open(builder)->tokenizer().prefix_ids, ElementsAre(1));
  EXPECT_TRUE(open(builder)->tokenizer().bos_in_chats);
  builder.boolean("tokenizer.ggml.add_bos_token", false);
  EXPECT_THAT(open(builder)->tokenizer().prefix_ids, ElementsAre());
  EXPECT_FALSE(open(builder)->tokenizer().bos_in_chats);
}

TEST_F(GgufTokenizer, AnEndOfSequenceGoesBehindTextsThatAskForItNotBehindChats) {
  GgufBuilder builder;
  builder.text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", "smollm");
  builder.texts("tokenizer.ggml.tokens", {"<end>", "a", "b", "ab"}).texts("tokenizer.ggml.merges", {"a b"});
  builder.i32s("tokenizer.ggml.token_type", {3, 1, 1, 1});
  builder.u32("tokenizer.ggml.eos_token_id", 0).boolean("tokenizer.ggml.add_eos_token", true);
  const Tokenizer tokenizer(open(builder)->tokenizer());
  EXPECT_THAT(tokenizer.encode("ab"), ElementsAre(3, 0));
  EXPECT_THAT(tokenizer.encode_chat("ab"), ElementsAre(3));
}

TEST_F(GgufTokenizer, ScoresThatAreAllOneAreRefused) {
  // What llama.cpp's converter writes for a Llama folder without a tokenizer.model: the order of merges is lost.
  const auto with_scores = [&](const std::vector<float>& scores) {
    GgufBuilder builder;
    builder.text("tokenizer.ggml.model", "llama").texts("tokenizer.ggml.tokens", {"<unk>", "a", "b", "aa", "ab"});
    builder.f32s("tokenizer.ggml.scores", scores).i32s("tokenizer.ggml.token_type", {2, 1, 1, 1, 1});
    return open(builder);
  };
  expect_error<Unsupported>("2 tokens have one score, -1000", [&] { with_scores({0, -1000, -1000, -1000, -1000}); });
  EXPECT_EQ(with_scores({0, -1000, -1000, -1000, -999})->tokenizer().tokens.size(), 5U);
}

TEST_F(GgufTokenizer, ReadsSentencePieceWithLlamasDefaults) {
  GgufBuilder builder;
  builder.text("tokenizer.ggml.model", "llama").texts("tokenizer.ggml.tokens", {"<unk>", "<s>", "</s>", "<0x0A>", "x"});
  builder.f32s("tokenizer.ggml.scores", {0, 0, 0, 0, -1.5F}).i32s("tokenizer.ggml.token_type", {2, 3, 3, 6, 4});
  const auto source = open(builder);
  const TokenizerData& data = source->tokenizer();
  EXPECT_EQ(data.kind, TokenizerKind::kSentencePieceBpe);
  EXPECT_TRUE(data.merges_by_score && data.byte_fallback && data.bos_in_chats);
  EXPECT_EQ(data.normalizer.size(), 2U) << "a space before the text, then marks for spaces";
  EXPECT_THAT(data.prefix_ids, ElementsAre(1));
  EXPECT_EQ(data.bos_id, 1);
  EXPECT_EQ(data.eos_id, 2);
  EXPECT_EQ(data.unknown_id, 0);
  EXPECT_EQ(data.tokens[3].type, TokenType::kByte);
  EXPECT_EQ(data.tokens[4].type, TokenType::kUserDefined);
  EXPECT_EQ(data.tokens[4].score, -1.5F);
  builder.boolean("tokenizer.ggml.add_space_prefix", false);  // as Gemma's files say
  EXPECT_EQ(open(builder)->tokenizer().normalizer.size(), 1U);
}

TEST_F(GgufTokenizer, EveryEndOfGenerationCounts) {
  auto builder = byte_level();
  builder.u32("tokenizer.ggml.eos_token_id", 2).u32("tokenizer.ggml.eot_token_id", 3);
  builder.u32("tokenizer.ggml.eom_token_id", 4);
  // 0 and 1 by their names; 5 is called </s> but is an ordinary token here.
  EXPECT_THAT(open(builder)->generation_defaults().end_of_generation_ids, ElementsAre(2, 3, 4, 0, 1));
}

TEST_F(GgufTokenizer, AMessageOfHarmonysEndsNoAnswer) {
  const auto ends = [&](const std::vector<std::string>& tokens) {
    GgufBuilder builder;
    builder.text("tokenizer.ggml.model", "gpt2")
        .texts("tokenizer.ggml.tokens", tokens)
        .texts("tokenizer.ggml.merges", {});
    builder.i32s("tokenizer.ggml.token_type", std::vector<int32_t>(tokens.size(), 3));
    return open(builder.u32("tokenizer.ggml.eos_token_id", 0))->generation_defaults().end_of_generation_ids;
  };
  EXPECT_THAT(ends({"<|return|>", "<|start|>", "<|end|>", "<|call|>"}), ElementsAre(0, 3));
  EXPECT_THAT(ends({"<|endoftext|>", "<|user|>", "<|end|>", "<|call|>"}), ElementsAre(0, 2, 3)) << "Phi's";
}

TEST_F(GgufTokenizer, ReadsSamplingSettings) {
  const auto with = open(byte_level()
                             .f32("general.sampling.temp", 0.5F)
                             .u32("general.sampling.top_k", 40)
                             .f32("general.sampling.top_p", 0.75F)
                             .f32("general.sampling.min_p", 0.25F)
                             .f32("general.sampling.penalty_repeat", 1.25F));
  const GenerationDefaults& defaults = with->generation_defaults();
  EXPECT_EQ(defaults.temperature, 0.5F);
  EXPECT_EQ(defaults.top_k, 40);
  EXPECT_EQ(defaults.top_p, 0.75F);
  EXPECT_EQ(defaults.min_p, 0.25F);
  EXPECT_EQ(defaults.repetition_penalty, 1.25F);
  EXPECT_EQ(open(byte_level())->generation_defaults().temperature, std::nullopt);
}

TEST_F(GgufTokenizer, AFileWithoutOneOpensAndHasNoTokens) {
  EXPECT_TRUE(open(GgufBuilder())->tokenizer().tokens.empty());
}

TEST_F(GgufTokenizer, RefusesWhatItCannotRead) {
  expect_error<Unsupported>("tokenizer model \"bert\" is not supported",
                            [&] { open(GgufBuilder().text("tokenizer.ggml.model", "bert")); });
  expect_error<FormatError>("no tokenizer.ggml.tokens",
                            [&] { open(GgufBuilder().text("tokenizer.ggml.model", "llama")); });
  expect_error<FormatError>("should be an array of texts", [&] {
    open(GgufBuilder().text("tokenizer.ggml.model", "llama").i32s("tokenizer.ggml.tokens", {1}));
  });
  expect_error<FormatError>("has 1 entries for 2 tokens", [&] {
    open(GgufBuilder()
             .text("tokenizer.ggml.model", "llama")
             .texts("tokenizer.ggml.tokens", {"a", "b"})
             .f32s("tokenizer.ggml.scores", {0}));
  });
  expect_error<FormatError>("\"ab\" is not two tokens", [&] {
    open(GgufBuilder()
             .text("tokenizer.ggml.model", "gpt2")
             .texts("tokenizer.ggml.tokens", {"a"})
             .texts("tokenizer.ggml.merges", {"ab"}));
  });
}

}  // namespace
}  // namespace caravel::format
