// Layers whose keys and values are compressed, by what their files may have. What they compute is held to transformers
// in decoder_test.cc.

#include "model/latent/latent_layer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "device/cpu/cpu_device.h"
#include "device/deferred_device.h"
#include "fixtures.h"
#include "kernels/dequantize.h"
#include "kernels/quantize_rows.h"
#include "memory_source.h"
#include "model_harness.h"

namespace caravel::model {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

MemorySource fixture_copy(const std::string& file) {
  const auto source = format::open_weights(tests::fixtures() + "/models/" + file);
  MemorySource copy(source->convention(), source->config());
  for (const format::WeightInfo& weight : source->weights()) {
    const MappedBytes mapped = source->map(weight);
    copy.add(weight.name, weight.shape, weight.dtype, {mapped.bytes().begin(), mapped.bytes().end()});
  }
  return copy;
}

std::vector<std::vector<float>> whole_logits(const format::WeightSource& source) {
  const std::vector<int32_t> tokens = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5};
  const int whole = static_cast<int>(tokens.size());
  return ModelHarness(source, {.kv_dtype = kernels::KvDtype::kF32}).run(0, tokens, {&whole, 1});
}

/// Root of the mean square of the differences, over that of what is expected.
double relative_difference(const std::vector<std::vector<float>>& got,
                           const std::vector<std::vector<float>>& expected) {
  double squares = 0, differences = 0;
  for (size_t t = 0; t < got.size(); ++t) {
    for (size_t i = 0; i < got[t].size(); ++i) {
      squares += double{expected[t][i]} * expected[t][i];
      differences += double{got[t][i] - expected[t][i]} * (got[t][i] - expected[t][i]);
    }
  }
  return std::sqrt(differences / squares);
}

template <typename E>
std::string layout_refusal(const format::WeightSource& source) {
  CpuDevice device(1);
  try {
    weight_layout(device, source, read_config(source));
  } catch (const E& error) {
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
    return error.what();
  }
  return "";
}

class LatentFiles : public ::testing::Test {};

/// A layer's matrices of keys and values joined, as files had it before they were apart, [heads, nope + value; latent].
void join(MemorySource& source, const std::string& layer, const LatentSpec& spec, int heads) {
  const auto rows_of = [&](const std::string& name) {
    const MappedBytes mapped = source.map(*source.find(layer + name));
    return std::vector<std::byte>(mapped.bytes().begin(), mapped.bytes().end());
  };
  constexpr size_t kElement = 2;                                     // BF16
  const std::vector<std::byte> keys = rows_of("attn_k_b.weight");    // [heads, latent, nope]
  const std::vector<std::byte> values = rows_of("attn_v_b.weight");  // [heads, value, latent]
  std::vector<std::byte> joined;
  for (int h = 0; h < heads; ++h) {
    for (int n = 0; n < spec.nope_dim; ++n) {
      for (int l = 0; l < spec.latent_dim; ++l) {
        const auto* from = &keys[static_cast<size_t>((h * spec.latent_dim + l) * spec.nope_dim + n) * kElement];
        joined.insert(joined.end(), from, from + kElement);
      }
    }
    const size_t of_head = static_cast<size_t>(spec.value_dim * spec.latent_dim) * kElement;
    const auto* from = &values[static_cast<size_t>(h) * of_head];
    joined.insert(joined.end(), from, from + of_head);
  }
  source.remove(layer + "attn_k_b.weight");
  source.remove(layer + "attn_v_b.weight");
  const int64_t rows = int64_t{heads} * (spec.nope_dim + spec.value_dim);
  source.add(layer + "attn_kv_b.weight", {rows, spec.latent_dim}, DType::kBF16, std::move(joined));
}

MemorySource older_gguf() {
  MemorySource source = fixture_copy("deepseek_v2_lite.gguf");
  const ModelConfig config = read_config(source);
  for (size_t i = 0; i < config.layers.size(); ++i) {
    join(source, "blk." + std::to_string(i) + ".", config.latent, config.num_heads);
  }
  const int query_dim = config.latent.nope_dim + config.latent.rotary_dim;
  source.config().merge_patch({{"deepseek2.attention.key_length_mla", nullptr},
                               {"deepseek2.attention.value_length_mla", nullptr},
                               {"deepseek2.attention.key_length", query_dim},
                               {"deepseek2.attention.value_length", config.latent.value_dim},
                               {"deepseek2.attention.head_count_kv", config.num_heads}});
  return source;
}

TEST_F(LatentFiles, OlderOnesHaveKeysAndValuesInOneMatrix) {
  EXPECT_EQ(whole_logits(older_gguf()), whole_logits(fixture_copy("deepseek_v2_lite.gguf")));
}

TEST_F(LatentFiles, BlocksOfTheJoinedMatrixAreTakenApart) {
  MemorySource blocks = older_gguf();
  MemorySource values = older_gguf();
  for (int layer = 0; layer < 3; ++layer) {
    const std::string name = "blk." + std::to_string(layer) + ".attn_kv_b.weight";
    const std::vector<int64_t> shape = blocks.find(name)->shape;
    const auto count = static_cast<size_t>(shape[0] * shape[1]);
    const MappedBytes mapped = blocks.map(*blocks.find(name));
    std::vector<float> exact(count);
    kernels::dequantize_rows(DType::kBF16, mapped.bytes().data(), shape[0], shape[1], exact.data());
    std::vector<std::byte> q8(static_cast<size_t>(shape[0] * row_bytes(DType::kQ8_0, shape[1])));
    kernels::quantize_rows_q8_0(exact.data(), shape[0], shape[1], q8.data());
    kernels::dequantize_rows(DType::kQ8_0, q8.data(), shape[0], shape[1], exact.data());
    blocks.add(name, shape, DType::kQ8_0, q8);
    values.add(name, shape, exact);
  }
  // Values are multiplied by inputs of 8 bits where the blocks stay as they are.
  EXPECT_LT(relative_difference(whole_logits(blocks), whole_logits(values)), 0.05);
}

TEST_F(LatentFiles, ThatLieAreRefusedInOneLine) {
  MemorySource folder = fixture_copy("deepseek_v3");
  const std::string of = "model.layers.0.self_attn.";
  EXPECT_EQ(layout_refusal<Error>(folder), "");
  folder.config()["kv_lora_rank"] = 24;
  EXPECT_THAT(layout_refusal<FormatError>(folder),
              AllOf(HasSubstr("kv_a_proj_with_mqa.weight is [40, 32]"), HasSubstr("must be [32, 32]")));
  folder.config()["kv_lora_rank"] = 32;
  folder.config()["v_head_dim"] = 16;
  EXPECT_THAT(layout_refusal<FormatError>(folder),
              AllOf(HasSubstr("kv_b_proj.weight is [256, 32]"), HasSubstr("must be [192, 32]")));
  folder.config()["v_head_dim"] = 32;
  folder.add_random(of + "q_proj.weight", {160, 32});
  EXPECT_THAT(layout_refusal<Unsupported>(folder), HasSubstr("q_proj.weight")) << "queries have a latent";
  folder.remove(of + "q_proj.weight");
  folder.remove(of + "kv_b_proj.weight");
  EXPECT_THAT(layout_refusal<FormatError>(folder), HasSubstr("kv_b_proj.weight is missing"));
  MemorySource lite = fixture_copy("deepseek_v2_lite");
  lite.add_random(of + "q_a_proj.weight", {24, 32});
  EXPECT_THAT(layout_refusal<Unsupported>(lite), HasSubstr("q_a_proj.weight")) << "queries have no latent";
  MemorySource gguf = fixture_copy("deepseek_v3.gguf");
  gguf.add_random("blk.0.attn_k_b.weight", {4, 16, 32});
  EXPECT_THAT(layout_refusal<FormatError>(gguf),
              AllOf(HasSubstr("attn_k_b.weight is [4, 16, 32]"), HasSubstr("must be [4, 32, 32]")));
}

// Heads of 16 elements fill no block of 32 and stay as they are; the others go through inputs of 8 bits. Rounding may
// change which experts a token goes to.
TEST_F(LatentFiles, BecomeQ8WhereTheyCan) {
  for (const char* name : {"deepseek_v2_lite", "deepseek_v3"}) {
    SCOPED_TRACE(name);
    const MemorySource source = fixture_copy(name);
    const std::vector<int32_t> tokens = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5};
    const int whole = static_cast<int>(tokens.size());
    const auto run = [&](std::span<const int> chunks) {
      ModelHarness model(source, {.kv_dtype = kernels::KvDtype::kF32, .quantization = Quantization::kQ8_0});
      return model.run(0, tokens, chunks);
    };
    const auto got = run({&whole, 1});
    EXPECT_EQ(run(std::vector<int>(tokens.size(), 1)), got);
    const double off = relative_difference(got, whole_logits(source));
    EXPECT_GT(off, 0);
    EXPECT_LT(off, 0.15);
  }
}

}  // namespace
}  // namespace caravel::model
