// Models that are described by their headers, also those that no machine holds: their data are a hole in a file.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/available_memory.h"
#include "base/error.h"
#include "device/cuda_backend.h"
#include "engine/harness.h"
#include "format/gguf_builder.h"
#include "format/temp_folder.h"

namespace caravel::engine {
namespace {

using testing::HasSubstr;

constexpr uint32_t kF16 = 1;  // ggml's number
constexpr uint64_t kHidden = 8192, kKv = 1024, kWide = 28'672, kVocabulary = 32'000;
constexpr int64_t kLayerBytes = 2 * (2 * kHidden * kHidden + 2 * kHidden * kKv + 3 * kHidden * kWide);

/// So many of Llama 2 70B's layers take 57 GB, or twice what this machine has.
int64_t layers() {
  static const int64_t count = std::max<int64_t>(33, 2 * available_memory().bytes / kLayerBytes + 1);
  return count;
}

void expect_refused(const std::string& path) {
  EngineConfig config{.model = path, .threads = 1};
  config.device = "cpu";  // a GPU would stream layers from the host's memory, which holds them as little
  const ModelInfo info = describe_model(config);
  EXPECT_EQ(info.layers, layers());
  EXPECT_GT(info.memory.weights, layers() * kLayerBytes);
  EXPECT_LT(info.memory.weights, layers() * kLayerBytes / 100 * 103);
  EXPECT_EQ(info.weight_bytes, info.memory.weights);
  EXPECT_FALSE(info.memory.fits());
  EXPECT_EQ(info.kv_blocks, 0);
  EXPECT_THAT(info.memory_shortage, HasSubstr(path));
  EXPECT_THAT(info.memory_shortage, HasSubstr("the model needs " + memory_text(info.memory.needed())));
  EXPECT_THAT(info.memory_shortage, HasSubstr("its weights take " + memory_text(info.memory.weights)));
  EXPECT_THAT(info.memory_shortage, HasSubstr("What fits: "));
  EXPECT_THAT(info.memory_shortage, HasSubstr(" as Q"));
  try {
    Engine::open(config);
    ADD_FAILURE() << "opened";
  } catch (const CapacityError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the model needs"));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
  }
}

TEST(DescribeModel, AGgufFileThatNoMemoryHoldsIsRefusedByItsHeader) {
  const auto count = static_cast<uint32_t>(layers());
  format::GgufBuilder builder;
  builder.text("general.architecture", "llama").u32("llama.block_count", count).u32("llama.context_length", 4096);
  builder.u32("llama.embedding_length", kHidden).u32("llama.feed_forward_length", kWide);
  builder.u32("llama.attention.head_count", 64).u32("llama.attention.head_count_kv", 8);
  builder.f32("llama.attention.layer_norm_rms_epsilon", 1e-5F);
  builder.text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", "gpt-2");
  builder.texts("tokenizer.ggml.tokens", {"a", "b", "ab"}).texts("tokenizer.ggml.merges", {"a b"});
  builder.i32s("tokenizer.ggml.token_type", {1, 1, 1}).u32("tokenizer.ggml.eos_token_id", 0);
  uint64_t offset = 0;
  const auto add = [&](const std::string& name, std::vector<uint64_t> extents, uint32_t type) {
    uint64_t bytes = type == kF16 ? 2 : 4;
    for (const uint64_t extent : extents) bytes *= extent;
    builder.tensor(name, std::move(extents), type, offset);
    offset += (bytes + 31) / 32 * 32;
  };
  add("token_embd.weight", {kHidden, kVocabulary}, kF16);
  add("output_norm.weight", {kHidden}, 0);
  add("output.weight", {kHidden, kVocabulary}, kF16);
  for (uint32_t i = 0; i < count; ++i) {
    const std::string layer = "blk." + std::to_string(i) + ".";
    add(layer + "attn_norm.weight", {kHidden}, 0);
    add(layer + "attn_q.weight", {kHidden, kHidden}, kF16);
    add(layer + "attn_k.weight", {kHidden, kKv}, kF16);
    add(layer + "attn_v.weight", {kHidden, kKv}, kF16);
    add(layer + "attn_output.weight", {kHidden, kHidden}, kF16);
    add(layer + "ffn_norm.weight", {kHidden}, 0);
    add(layer + "ffn_gate.weight", {kHidden, kWide}, kF16);
    add(layer + "ffn_up.weight", {kHidden, kWide}, kF16);
    add(layer + "ffn_down.weight", {kWide, kHidden}, kF16);
  }
  const format::TempFolder folder;
  const std::string header = builder.bytes();
  const std::string path = folder.write("large.gguf", header);
  std::error_code error;
  std::filesystem::resize_file(path, header.size() + offset, error);
  if (error) GTEST_SKIP() << "the file system has no holes: " << error.message();
  expect_refused(path);
}

TEST(DescribeModel, ShardsThatNoMemoryHoldsAreRefusedByTheirHeaders) {
  const format::TempFolder folder;
  const std::string fixture_folder = fixture("llama");
  for (const char* name : {"tokenizer.json", "tokenizer_config.json"}) {
    std::filesystem::copy_file(fixture_folder + "/" + name, folder.path() / name);
  }
  nlohmann::json config;
  std::ifstream(fixture_folder + "/config.json") >> config;
  config.update({{"hidden_size", kHidden},
                 {"intermediate_size", kWide},
                 {"num_attention_heads", 64},
                 {"num_key_value_heads", 8},
                 {"head_dim", 128},
                 {"vocab_size", kVocabulary},
                 {"num_hidden_layers", layers()},
                 {"tie_word_embeddings", false}});
  folder.write("config.json", config.dump());

  nlohmann::json index = {{"weight_map", nlohmann::json::object()}};
  nlohmann::json header;
  uint64_t offset = 0;
  int shard = 0;
  std::error_code error;
  const auto finish = [&] {
    if (header.empty()) return;
    const std::string name = "model-" + std::to_string(++shard) + ".safetensors";
    for (const auto& [tensor, entry] : header.items()) index["weight_map"][tensor] = name;
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const uint64_t length = text.size();
    text.insert(0, reinterpret_cast<const char*>(&length), sizeof length);
    std::filesystem::resize_file(folder.write(name, text), text.size() + offset, error);
    header.clear();
    offset = 0;
  };
  const auto add = [&](const std::string& name, std::vector<uint64_t> shape) {
    uint64_t bytes = 2;
    for (const uint64_t extent : shape) bytes *= extent;
    header[name] = {{"dtype", "BF16"}, {"shape", shape}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
    if (offset > uint64_t{4} << 30) finish();
  };
  add("model.embed_tokens.weight", {kVocabulary, kHidden});
  add("model.norm.weight", {kHidden});
  add("lm_head.weight", {kVocabulary, kHidden});
  for (int64_t i = 0; i < layers(); ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    add(layer + "input_layernorm.weight", {kHidden});
    add(layer + "self_attn.q_proj.weight", {kHidden, kHidden});
    add(layer + "self_attn.k_proj.weight", {kKv, kHidden});
    add(layer + "self_attn.v_proj.weight", {kKv, kHidden});
    add(layer + "self_attn.o_proj.weight", {kHidden, kHidden});
    add(layer + "post_attention_layernorm.weight", {kHidden});
    add(layer + "mlp.gate_proj.weight", {kWide, kHidden});
    add(layer + "mlp.up_proj.weight", {kWide, kHidden});
    add(layer + "mlp.down_proj.weight", {kHidden, kWide});
  }
  finish();
  if (error) GTEST_SKIP() << "the file system has no holes: " << error.message();
  folder.write("model.safetensors.index.json", index.dump());
  expect_refused(folder.path().string());
}

TEST(DescribeModel, SaysWhatAnEngineSays) {
  for (const char* name : {"llama", "llama.gguf", "gemma3", "qwen2.gguf", "llama_linear", "glm4_moe.gguf"}) {
    EngineConfig config = small_config(name);
    if (std::string_view(name).starts_with("glm4_moe")) config.device = "cpu";  // a GPU refuses experts
    const ModelInfo told = describe_model(config);
    const std::unique_ptr<Engine> engine = Engine::open(config);
    const ModelInfo& opened = engine->model();
    EXPECT_EQ(told.name, opened.name);
    EXPECT_EQ(told.device, opened.device);
    EXPECT_EQ(told.parameters, opened.parameters);
    EXPECT_EQ(told.layer_parameters, opened.layer_parameters);
    EXPECT_EQ(told.weight_bytes, opened.weight_bytes);
    EXPECT_EQ(told.activation_bytes, opened.activation_bytes);
    EXPECT_EQ(told.kv_blocks, opened.kv_blocks);
    EXPECT_EQ(told.kv_tokens, opened.kv_tokens);
    EXPECT_EQ(told.max_model_len, opened.max_model_len);
    EXPECT_EQ(told.max_num_seqs, 64);
    EXPECT_EQ(told.max_num_batched_tokens, 128);
    EXPECT_EQ(told.chat_template, opened.chat_template);
    EXPECT_EQ(told.memory_shortage, "");
    ASSERT_EQ(told.decisions.size(), opened.decisions.size()) << name;
    for (size_t i = 0; i < told.decisions.size(); ++i) {
      EXPECT_EQ(told.decisions[i].what, opened.decisions[i].what);
      EXPECT_EQ(told.decisions[i].value, opened.decisions[i].value) << told.decisions[i].what;
      EXPECT_EQ(told.decisions[i].why, opened.decisions[i].why) << told.decisions[i].what;
    }
  }
}

// What a token goes through is all but the experts that it is not sent to.
TEST(DescribeModel, CountsTheExpertsOfAToken) {
  for (const char* name : {"qwen2_moe", "qwen2_moe.gguf"}) {
    EngineConfig config = small_config(name);
    config.device = "cpu";
    const ModelInfo info = describe_model(config);
    EXPECT_EQ(info.experts, 6);
    EXPECT_EQ(info.experts_per_token, 2);
    EXPECT_EQ(info.expert_intermediate_size, 32);
    EXPECT_EQ(info.shared_intermediate_size, 64);
    const int64_t of_one = 3 * 32 * 32;  // gate, up and down, all of the same size
    EXPECT_EQ(info.parameters - info.active_parameters, info.layers * 4 * of_one);
    const int64_t bytes_of_one = of_one * 2;  // BF16
    EXPECT_EQ(info.weight_bytes - info.token_weight_bytes, info.layers * 4 * bytes_of_one);
    // Per layer: Q, K, V and O; router and the shared experts' gate; two experts and those of every token.
    EXPECT_EQ(info.layer_parameters, info.layers * (3 * 32 * 32 + 7 * 32 + 2 * of_one + 3 * 64 * 32));
  }
  const ModelInfo with_biases = describe_model(small_config("gpt_oss_bf16"));
  EXPECT_EQ(with_biases.experts - with_biases.experts_per_token, 2);
  const int64_t of_one = 3 * 32 * 64 + 2 * 64 + 32;
  EXPECT_EQ(with_biases.parameters - with_biases.active_parameters, with_biases.layers * 2 * of_one);
  const ModelInfo dense = describe_model(small_config("llama_tied"));
  EXPECT_EQ(dense.experts, 0);
  EXPECT_EQ(dense.active_parameters, dense.parameters);
  EXPECT_EQ(dense.token_weight_bytes, dense.weight_bytes);
  const ModelInfo untied = describe_model(small_config("llama"));
  EXPECT_LT(untied.token_weight_bytes, untied.weight_bytes) << "of the embedding a row";
}

// A GPU's steps are larger, and take more memory, unless somebody says how large they are.
TEST(DescribeModel, ADeviceHasStepsOfItsOwnSize) {
  EngineConfig config{.model = small_config().model, .device = "cpu"};
  const ModelInfo of_cpu = describe_model(config);
  EXPECT_EQ(of_cpu.max_num_seqs, 64);
  EXPECT_EQ(of_cpu.max_num_batched_tokens, 512);
  EXPECT_EQ(Engine::open(config)->model().max_num_batched_tokens, 512);
  config.max_num_batched_tokens = 2048;
  EXPECT_GT(describe_model(config).activation_bytes, of_cpu.activation_bytes);
  if (!built_with_cuda()) return;
  config.device = "cuda:1GiB";
  config.max_num_batched_tokens = 0;
  const ModelInfo of_gpu = describe_model(config);
  EXPECT_EQ(of_gpu.max_num_seqs, 256);
  EXPECT_EQ(of_gpu.max_num_batched_tokens, 2048);
  config.max_num_seqs = 3;
  config.max_num_batched_tokens = 40;
  EXPECT_EQ(describe_model(config).max_num_seqs, 3);
  EXPECT_LT(describe_model(config).activation_bytes, of_gpu.activation_bytes);
}

TEST(DescribeModel, PlansForAGpuThatIsNotThere) {
  if (!built_with_cuda()) GTEST_SKIP() << "this build does not know how a GPU lays out weights";
  EngineConfig config;
  for (const std::string model : {"gpt_oss", "llama"}) {
    config = small_config(model);
    config.kv_cache_memory = 0;
    config.device = "cuda:1GiB";
    const ModelInfo info = describe_model(config);
    EXPECT_EQ(info.memory.available, static_cast<int64_t>(0x1p30 * 0.9)) << model;
    EXPECT_TRUE(info.memory.apart()) << model;
    EXPECT_TRUE(info.memory.fits()) << model;
    EXPECT_GT(info.kv_blocks, 0) << model;
    EXPECT_THAT(info.memory.bound_by, HasSubstr("90% of what is free on a GPU of 1.0 GiB"));
    EXPECT_THROW(Engine::open(config), Unsupported) << model;
  }
  config.device = "cuda:200KiB";
  EXPECT_THAT(describe_model(config).memory_shortage, HasSubstr("the model needs"));
}

TEST(DescribeModel, RefusesWhatAnEngineRefuses) {
  EngineConfig config = small_config();
  config.max_model_len = 100'000;
  EXPECT_THROW(describe_model(config), InvalidArgument);
  config = small_config();
  config.kv_cache_memory = int64_t{1} << 60;
  EXPECT_THROW(describe_model(config), CapacityError);
  config = small_config();
  config.tool_call_parser = "no-such-parser";
  EXPECT_THROW(describe_model(config), Error);
  config = small_config();
  config.model = "no-such-model";
  EXPECT_THROW(describe_model(config), NotFound);
}

TEST(DescribeModel, SaysWhichRotaryFactorsAreTaken) {
  const auto factors = [](int max_model_len) {
    EngineConfig config{.model = tests::model_fixture("phi4_mini"), .max_model_len = max_model_len};
    const ModelInfo info = describe_model(config);
    const auto found = std::ranges::find(info.decisions, "rotary factors", &Decision::what);
    return found == info.decisions.end() ? "none: " + info.name : found->value + ": " + found->why;
  };
  EXPECT_EQ(factors(0), "long: sequences may have 256 tokens, more than 24");
  EXPECT_EQ(factors(24), "short: sequences may have 24 tokens, no more than 24");
}

}  // namespace
}  // namespace caravel::engine
