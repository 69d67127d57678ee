// Layers that lie in the host's memory and come to the device in every step.

#include <gmock/gmock.h>

#include "base/error.h"
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

}  // namespace
}  // namespace caravel::engine
