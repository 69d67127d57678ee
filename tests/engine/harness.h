#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "caravel/monitor.h"
#include "device/deferred_device.h"
#include "engine/encoder_engine.h"
#include "engine/engine_impl.h"
#include "fixtures.h"

namespace caravel::engine {

inline std::string fixture(const std::string& name) { return tests::fixtures() + "/models/" + name; }

/// A tiny random model (256 tokens of context, a vocabulary of 320), one thread, room for every test here.
inline EngineConfig small_config(const std::string& model = "llama") {
  return {.model = fixture(model),
          .threads = 1,
          .kv_cache_memory = 8 << 20,
          .max_num_seqs = 64,
          .max_num_batched_tokens = 128,
          .swap_space = 4 << 20,
          .seed = 1};
}

inline std::vector<int32_t> random_tokens(size_t count, uint32_t seed, int vocab_size = 320) {
  std::mt19937 random(seed);
  std::vector<int32_t> tokens(count);
  for (int32_t& token : tokens) token = static_cast<int32_t>(random() % static_cast<uint32_t>(vocab_size));
  return tokens;
}

/// What is not given is as the model's files say, and those of the fixtures ask for draws: greedy unless it is given.
inline SamplingParams greedy(SamplingParams sampling) {
  if (!sampling.temperature) sampling.temperature = 0.0F;
  return sampling;
}

/// A request of tokens that answers at full length, greedily unless a temperature is given.
inline Request token_request(std::vector<int32_t> prompt, SamplingParams sampling) {
  sampling = greedy(std::move(sampling));
  sampling.ignore_eos = true;
  return {.prompt = std::move(prompt), .sampling = std::move(sampling)};
}

/// To the bit.
inline void expect_same(const std::vector<TokenLogprob>& a, const std::vector<TokenLogprob>& b,
                        const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].token, b[i].token) << what << ", place " << i;
    EXPECT_EQ(a[i].logprob, b[i].logprob) << what << ", place " << i;
    EXPECT_EQ(a[i].rank, b[i].rank) << what << ", place " << i;
    EXPECT_EQ(a[i].top, b[i].top) << what << ", place " << i;
  }
}

inline void expect_same(const Result& a, const Result& b, const std::string& what) {
  ASSERT_EQ(a.error, b.error) << what;
  ASSERT_EQ(a.completions.size(), b.completions.size()) << what;
  for (size_t i = 0; i < a.completions.size(); ++i) {
    EXPECT_EQ(a.completions[i].token_ids, b.completions[i].token_ids) << what << ", answer " << i;
    EXPECT_EQ(a.completions[i].text, b.completions[i].text) << what << ", answer " << i;
    EXPECT_EQ(a.completions[i].cumulative_logprob, b.completions[i].cumulative_logprob) << what << ", answer " << i;
    expect_same(a.completions[i].logprobs, b.completions[i].logprobs, what + ", answer " + std::to_string(i));
  }
  expect_same(a.prompt_logprobs, b.prompt_logprobs, what + ", prompt");
}

/// How many steps this run of the tests has in flight: the environment's CARAVEL_TEST_STEPS, or one.
inline int steps_in_flight() {
  const char* const text = std::getenv("CARAVEL_TEST_STEPS");
  return text == nullptr ? 1 : std::stoi(text);
}

/// On the device that the tests run on.
inline LoadHooks load_hooks(int steps = steps_in_flight()) {
  return {.open_device = [](const EngineConfig& config) { return open_test_device(config); }, .steps_in_flight = steps};
}

inline std::unique_ptr<Engine> open_encoder(const EngineConfig& config) {
  return std::make_unique<EncoderEngine>(config, open_source(config), load_hooks());
}

/// An engine as this run of the tests wants it.
class TestEngine final : public EngineImpl {
 public:
  explicit TestEngine(const EngineConfig& config, EngineHooks hooks = {},
                      std::unique_ptr<format::WeightSource> source = nullptr)
      : EngineImpl(config, as_wanted(std::move(hooks)), std::move(source)) {}

 private:
  static EngineHooks as_wanted(EngineHooks hooks) {
    hooks.load = load_hooks();
    return hooks;
  }
};

inline Result run(Engine& engine, Request request) { return engine.submit(std::move(request))->result(); }

/// A score of one prefix.
inline ScoreRequest score_request(std::vector<int32_t> prefix, std::vector<std::vector<int32_t>> continuations) {
  return {.items = {{std::move(prefix), std::move(continuations)}}};
}

/// Of its only prefix.
inline std::vector<Score> score(Engine& engine, ScoreRequest request) {
  const Result result = engine.score(std::move(request))->result();
  EXPECT_EQ(result.error, "");
  return result.scores.at(0);
}

/// Nothing is left over: every block is free and the books add up.
inline void expect_all_free(Engine& engine) {
  engine.monitor().check_integrity();
  EXPECT_EQ(engine.stats().used_blocks, 0);
}

}  // namespace caravel::engine
