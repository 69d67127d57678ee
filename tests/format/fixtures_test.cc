// Every tiny model of tests/fixtures/models, opened both as a Hugging Face folder and as GGUF.

#include "fixtures.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "format/weight_source.h"
#include "text/tokenizer_data.h"

namespace caravel::format {
namespace {

float half_to_float(uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const float fraction = static_cast<float>(bits & 1023) / 1024.0F;
  const float size = exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1.0F + fraction, exponent - 15);
  return (bits & 0x8000) != 0 ? -size : size;
}

std::vector<float> values_of(const WeightSource& source, const WeightInfo& weight) {
  std::vector<float> values;
  const size_t size = weight.dtype == DType::kF32 ? 4 : 2;
  const MappedBytes data = source.map(weight);
  for (size_t i = 0; i + size <= data.bytes().size(); i += size) {
    uint32_t bits = 0;
    std::memcpy(&bits, data.bytes().data() + i, size);
    if (weight.dtype == DType::kF16) {
      values.push_back(half_to_float(static_cast<uint16_t>(bits)));
      continue;
    }
    if (weight.dtype == DType::kBF16) bits <<= 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    values.push_back(value);
  }
  return values;
}

struct Pair {
  const char* folder;
  const char* gguf;
};

class Fixtures : public testing::TestWithParam<Pair> {};

// The converter renames, permutes the rows of Llama's Q and K, adds 1 to Gemma's norms and widens small tensors; the
// weights named here it only copies.
TEST_P(Fixtures, HuggingFaceAndGgufAgree) {
  const auto folder = open_weights(tests::model_fixture(GetParam().folder));
  const auto gguf = open_weights(tests::model_fixture(GetParam().gguf));
  EXPECT_EQ(folder->convention(), Convention::kHuggingFace);
  EXPECT_EQ(gguf->convention(), Convention::kGguf);
  const std::pair<const char*, const char*> same[] = {
      {"model.embed_tokens.weight", "token_embd.weight"},
      {"model.layers.0.self_attn.v_proj.weight", "blk.0.attn_v.weight"},
      {"model.layers.1.mlp.down_proj.weight", "blk.1.ffn_down.weight"},
      {"model.layers.1.mlp.gate_proj.weight", "blk.1.ffn_gate.weight"},
  };
  for (const auto& [theirs, ours] : same) {
    const WeightInfo* a = folder->find(theirs);
    const WeightInfo* b = gguf->find(ours);
    ASSERT_TRUE(a != nullptr && b != nullptr) << theirs;
    EXPECT_EQ(a->shape, b->shape) << theirs;
    EXPECT_EQ(values_of(*folder, *a), values_of(*gguf, *b)) << theirs;
  }
  EXPECT_EQ(folder->config()["hidden_size"], gguf->find("token_embd.weight")->shape[1]);
  EXPECT_EQ(folder->find("no.such.weight"), nullptr);
}

TEST_P(Fixtures, TokenizersAgree) {
  const auto gguf = open_weights(tests::model_fixture(GetParam().gguf));
  const TokenizerData& b = gguf->tokenizer();
  const auto folder = open_weights(tests::model_fixture(GetParam().folder));
  const TokenizerData& a = folder->tokenizer();
  ASSERT_EQ(a.tokens.size(), b.tokens.size());
  for (size_t i = 0; i < b.tokens.size(); ++i) EXPECT_EQ(a.tokens[i].text, b.tokens[i].text) << i;
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.prefix_ids, b.prefix_ids);
  EXPECT_EQ(a.suffix_ids, b.suffix_ids);
  EXPECT_EQ(a.bos_id, b.bos_id);
  EXPECT_EQ(a.eos_id, b.eos_id);
  EXPECT_EQ(a.chat_template, b.chat_template);
  if (b.merges_by_score) {
    ASSERT_EQ(a.normalizer.size(), b.normalizer.size()) << "a space before the text, or none";
    EXPECT_EQ(a.normalizer.back().content, b.normalizer.back().content);
  }
  if (!b.merges_by_score) {
    EXPECT_EQ(a.merges, b.merges);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Fixtures,
                         testing::Values(Pair{"llama", "llama.gguf"}, Pair{"llama_tied", "llama_tied.gguf"},
                                         Pair{"llama3", "llama3.gguf"},
                                         Pair{"llama_linear", "llama_linear-00001-of-00002.gguf"},
                                         Pair{"qwen2", "qwen2.gguf"}, Pair{"qwen3", "qwen3.gguf"},
                                         Pair{"gemma3", "gemma3.gguf"}, Pair{"gemma3_scaled", "gemma3_scaled.gguf"}),
                         [](const auto& pair) { return std::string(pair.param.folder); });

}  // namespace
}  // namespace caravel::format
