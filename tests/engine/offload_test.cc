// Layers that lie in the host's memory and come to the device in every step.

#include <gmock/gmock.h>

#include "base/error.h"
#include "device/cuda_backend.h"
#include "engine/harness.h"

namespace caravel::engine {
namespace {

TEST(Offload, ACpuHasNothingToKeepThemFrom) {
  EngineConfig config = small_config();
  config.device = "cpu";
  config.weight_offload = 1 << 20;
  try {
    Engine::open(config);
    ADD_FAILURE() << "opened";
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("weight_offload is 1.0 MiB: CPU"));
  }
}

// With prompts in chunks, answers beside each other, and steps in flight where the test run has them.
TEST(Offload, AnswersAreThoseOfAModelThatStaysOnTheDevice) {
  if (test_device() == "cpu") GTEST_SKIP() << "whose memory is the host's";
  for (const char* model : {"llama", "gemma3", "qwen2.gguf"}) {
    EngineConfig config = small_config(model);
    config.max_num_batched_tokens = 16;
    config.weight_offload = 0;
    TestEngine whole(config);
    config.weight_offload = 1;
    TestEngine streamed(config);
    EXPECT_EQ(whole.model().memory.streamed, 0);
    EXPECT_GT(streamed.model().memory.streamed, 0);
    EXPECT_EQ(whole.model().weight_bytes, streamed.model().weight_bytes);
    std::vector<std::unique_ptr<RequestHandle>> expected;
    std::vector<std::unique_ptr<RequestHandle>> handles;
    for (uint32_t i = 0; i < 6; ++i) {
      const Request request = token_request(random_tokens(5 + 11 * i, i), {.max_tokens = 12});
      expected.push_back(whole.submit(request));
      handles.push_back(streamed.submit(request));
    }
    for (size_t i = 0; i < handles.size(); ++i) expect_same(expected[i]->result(), handles[i]->result(), model);
  }
}

/// Answers beside each other, of every kind of want, with requests that are preempted by swap.
std::vector<Result> answers_of(Engine& engine) {
  std::vector<std::unique_ptr<RequestHandle>> handles;
  for (uint32_t i = 0; i < 5; ++i) {
    handles.push_back(engine.submit(
        token_request(random_tokens(5 + 11 * i, i), {.max_tokens = 12, .logprobs = 2, .prompt_logprobs = 1})));
  }
  std::vector<Result> results;
  for (const auto& handle : handles) results.push_back(handle->result());
  results.push_back(engine.embed({.tokens = random_tokens(25, 6)})->result());
  return results;
}

// The CPU has the first layers, and hands on what they make of the tokens.
TEST(Offload, LayersOnTheCpuChangeNothing) {
  if (test_device() == "cpu") GTEST_SKIP() << "where all layers are";
  for (const char* model : {"llama", "llama_tied", "gemma3"}) {
    EngineConfig config = small_config(model);
    config.max_num_batched_tokens = 16;
    TestEngine whole(config);
    const std::vector<Result> expected = answers_of(whole);
    for (const int layers : {1, 5}) {
      if (layers >= whole.model().layers) continue;
      config.n_gpu_layers = layers;
      for (const auto preempt : {std::optional<Preemption>(), std::optional(Preemption::kSwap)}) {
        TestEngine shared(config, {.preempt_every_draw = preempt});
        EXPECT_GT(shared.model().memory.cpu_layers, 0);
        EXPECT_EQ(shared.model().layer_parameters, whole.model().layer_parameters);
        const std::vector<Result> got = answers_of(shared);
        for (size_t i = 0; i < got.size(); ++i) {
          ASSERT_EQ(got[i].error, "");
          if (!tests_a_gpu()) expect_same(got[i], expected[i], model);  // the same kernels on both
        }
        expect_all_free(shared);
      }
    }
  }
}

TEST(Offload, WithoutLayersAGpuHasNone) {
  EngineConfig config = small_config();
  config.device = "cuda";
  config.n_gpu_layers = 0;
  EXPECT_THAT(describe_model(config).device, testing::HasSubstr("CPU"));
}

TEST(Offload, BothStagesAreDescribed) {
  if (!built_with_cuda()) GTEST_SKIP() << "this build does not know how a GPU lays out weights";
  EngineConfig config = small_config("gemma3");
  config.kv_cache_memory = 0;
  config.device = "cuda:1GiB";
  const ModelInfo whole = describe_model(config);
  config.n_gpu_layers = 3;
  const ModelInfo shared = describe_model(config);
  EXPECT_LT(shared.memory.weights, whole.memory.weights);
  EXPECT_GT(shared.memory.cpu_layers, 0);
  EXPECT_EQ(shared.layer_parameters, whole.layer_parameters);
}

}  // namespace
}  // namespace caravel::engine
