// The engine under load, and without any.

#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "engine/harness.h"
#include "fixtures.h"

namespace caravel::engine {
namespace {

/// The llama fixture with a longer context.
std::string long_context_model() {
  const std::filesystem::path folder = tests::temporary_path("long_context_llama");
  std::filesystem::create_directories(folder);
  for (const auto& file : std::filesystem::directory_iterator(fixture("llama"))) {
    std::filesystem::copy_file(file.path(), folder / file.path().filename(),
                               std::filesystem::copy_options::overwrite_existing);
  }
  nlohmann::json config;
  std::ifstream(folder / "config.json") >> config;
  config["max_position_embeddings"] = 1024;
  std::ofstream(folder / "config.json") << config;
  return folder;
}

TEST(Load, LittleOfTheReservedMemoryHoldsNoToken) {
  EngineConfig config = small_config();
  config.model = long_context_model();
  config.max_num_batched_tokens = 512;
  config.kv_cache_memory = 0;
  TestEngine engine(config);
  std::mt19937 random(5);
  std::vector<std::unique_ptr<RequestHandle>> handles;
  for (uint32_t i = 0; i < 32; ++i) {
    const size_t length = 32 + random() % 481;
    handles.push_back(engine.submit(token_request(random_tokens(length, i), {.max_tokens = 128})));
  }
  for (const auto& handle : handles) EXPECT_EQ(handle->result().completions[0].token_ids.size(), 128U);
  const Stats stats = engine.stats();
  const double waste =
      static_cast<double>(stats.kv_slots_reserved_unused) / static_cast<double>(stats.kv_slots_reserved);
  EXPECT_GT(stats.kv_slots_reserved, 100'000);
  EXPECT_LT(waste, 0.04);
  RecordProperty("kv_reserved_unused_percent", std::to_string(100 * waste));
  EXPECT_EQ(stats.finished_requests, 32);
  EXPECT_EQ(stats.generated_tokens, 32 * 128);
  expect_all_free(engine);
}

double processor_seconds() {
  timespec time;
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

TEST(Load, AnIdleEngineUsesNoProcessorTime) {
  EngineConfig config = small_config();
  config.threads = 2;
  TestEngine engine(config);
  run(engine, token_request({1, 2, 3}, {.max_tokens = 5}));
  engine.monitor().check_integrity();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const double before = processor_seconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_LT(processor_seconds() - before, 0.005);
}

TEST(Load, ManyThreadsMaySubmitAndCancel) {
  EngineConfig config = small_config();
  config.threads = 2;
  TestEngine engine(config);
  const auto expected = run(engine, token_request({7, 8, 9}, {.max_tokens = 20}));
  const auto expected_scores = score(engine, score_request({1, 2}, {{3, 4}, {5}}));
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 12; ++i) {
        auto handle = engine.submit(token_request({7, 8, 9}, {.max_tokens = 20}), [] {});
        switch (random() % 4) {
          case 0:
            handle->next();
            handle->cancel();
            handle->result();
            break;
          case 1:
            handle.reset();
            break;
          case 2:
            EXPECT_EQ(score(engine, score_request({1, 2}, {{3, 4}, {5}}))[0].token_logprobs,
                      expected_scores[0].token_logprobs);
            engine.stats();
            [[fallthrough]];
          default:
            expect_same(expected, handle->result(), "among threads");
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  expect_all_free(engine);
}

}  // namespace
}  // namespace caravel::engine
