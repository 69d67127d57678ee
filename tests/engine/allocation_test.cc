// A step of decodes alone allocates nothing: counted by the test program's own operator new.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "count_allocations.h"
#include "engine/harness.h"
#include "engine/watched_executor.h"

namespace caravel::engine {
namespace {

TEST(Allocation, ADecodeStepAllocatesNothing) {
  int64_t before = -1;
  int64_t counted_steps = 0;
  int64_t allocated = 0;
  std::atomic<bool> submitted{false};  // the first step waits for it: then all requests run side by side
  const EngineHooks hooks = watching([&](const StepInput& step) {
    submitted.wait(false);
    // All requests decode, and none is near its beginning or its end.
    bool steady = step.rows.size() == 6;
    int shortest = 1 << 30;
    for (const StepRow& row : step.rows) {
      steady = steady && row.count == 1;
      shortest = std::min(shortest, row.first);
    }
    steady = steady && shortest > 20 && shortest < 90;
    const int64_t now = allocations();
    if (steady && before >= 0) {
      allocated += now - before;
      ++counted_steps;
    }
    before = steady ? allocations() : -1;
  });
  TestEngine engine(small_config(), hooks);
  std::vector<std::unique_ptr<RequestHandle>> handles;
  // A drawn end of generation must not make the run too short to count.
  const SamplingParams greedy{.max_tokens = 100, .ignore_eos = true};
  const SamplingParams drawn{.max_tokens = 100,
                             .temperature = 0.8F,
                             .top_k = 50,
                             .top_p = 0.9F,
                             .min_p = 0.01F,
                             .repetition_penalty = 1.1F,
                             .seed = 1,
                             .n = 2,
                             .stop = {"never said"},
                             .ignore_eos = true,
                             .logprobs = 0};
  const SamplingParams typical{
      .max_tokens = 100, .temperature = 1.2F, .typical_p = 0.8F, .frequency_penalty = 0.1F, .ignore_eos = true};
  for (const SamplingParams& params : {greedy, drawn, typical, typical}) {
    handles.push_back(engine.submit(token_request(random_tokens(20, static_cast<uint32_t>(handles.size())), params)));
  }
  handles.push_back(engine.submit(token_request({1}, greedy)));
  submitted = true;
  submitted.notify_all();
  for (const auto& handle : handles) handle->result();
  engine.monitor().check_integrity();
  EXPECT_GT(counted_steps, 50);
  EXPECT_EQ(allocated, 0) << "in " << counted_steps << " steps";
}

}  // namespace
}  // namespace caravel::engine
