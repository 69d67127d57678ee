// Several ranks in one process, each a device and a thread of its own, give one rank's answers: tensor parallel, a
// pipeline of two stages, and both.

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

#include "comm/thread_group.h"
#include "device/deferred_device.h"
#include "engine/choose_sizes.h"
#include "engine/step_bytes.h"
#include "engine/steps.h"
#include "format/weight_source.h"

namespace caravel::engine {
namespace {

struct Shape {
  int tensor_ranks = 1;
  int stages = 1;
};

/// A rank and the thread that drives it: what it is given it does in order.
class Worker {
 public:
  explicit Worker(std::unique_ptr<Rank> rank) : rank_(std::move(rank)) {}
  ~Worker() {
    give({});
    thread_.join();
  }

  std::future<void> run(std::function<void(Rank&)> work) {
    std::packaged_task<void(Rank&)> task(std::move(work));
    std::future<void> done = task.get_future();
    give(std::move(task));
    return done;
  }

 private:
  using Task = std::packaged_task<void(Rank&)>;

  void give(Task task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    came_.notify_one();
  }
  void work() {
    while (true) {
      std::unique_lock lock(mutex_);
      came_.wait(lock, [&] { return !tasks_.empty(); });
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      if (!task.valid()) return;
      task(*rank_);
    }
  }

  std::unique_ptr<Rank> rank_;
  std::mutex mutex_;  // guards tasks_
  std::condition_variable came_;
  std::deque<Task> tasks_;  // one that is not valid is the last
  std::thread thread_{[this] { work(); }};
};

/// Carries steps out on all ranks of a model. Every rank is sent the same bytes, and none waits for another but within
/// its commands.
class Ranks final : public Executor {
 public:
  Ranks(const EngineConfig& config, const Shape& shape, int steps = steps_in_flight()) {
    const auto source = format::open_weights(config.model);
    const ModelInfo info = describe_model(config);
    const Rank::Blocks blocks{.size = config.block_size,
                              .dtype = kv_dtype_of(config.kv_cache_dtype),
                              .device = static_cast<int>(info.kv_blocks),
                              .host = static_cast<int>(info.memory.swap / (info.kv_pool_bytes / info.kv_blocks))};
    for (int rank = 0; rank < shape.tensor_ranks; ++rank) {
      pipelines_.push_back(std::make_unique<comm::ThreadGroup>(shape.stages));
    }
    for (int stage = 0; stage < shape.stages; ++stage) {
      stages_.push_back(std::make_unique<comm::ThreadGroup>(shape.tensor_ranks));
      for (int rank = 0; rank < shape.tensor_ranks; ++rank) {
        model::ModelConfig local = model::read_config(*source, config.rope_scaling);
        local.quantization = config.quantization;
        local.placement = {
            .tensor_rank = rank, .tensor_ranks = shape.tensor_ranks, .stage = stage, .stages = shape.stages};
        model::Peers peers;
        if (shape.tensor_ranks > 1) peers.tensor = &stages_.back()->member(rank);
        if (shape.stages > 1) peers.pipeline = &pipelines_[static_cast<size_t>(rank)]->member(stage);
        Device& device = *devices_.emplace_back(open_test_device(1, available_isas().back()));
        model::DeviceSink sink(device);
        auto weights = std::make_shared<const model::ModelWeights>(model::load_weights(sink, *source, local));
        auto decoder = std::make_unique<model::Decoder>(device, local, std::move(weights),
                                                        model::kv_layout(device, local, blocks.size, blocks.dtype),
                                                        config.max_num_batched_tokens, info.max_model_len, peers);
        Rank::Sizes sizes = rank_sizes(config, info.max_model_len);
        sizes.steps = steps;
        auto made = std::make_unique<Rank>(device, std::move(decoder), blocks, sizes);
        workers_.push_back(std::make_unique<Worker>(std::move(made)));
      }
    }
  }

  void launch(const StepInput& input) override {
    begin([input = by_bytes(input)](Rank& rank) { rank.launch(by_bytes(input)); });
  }
  void wait_for_rows() override {
    begin([](Rank& rank) { rank.wait_for_rows(); });
    finish();
  }
  void launch(const DrawInput& input) override {
    begin([input = by_bytes(input)](Rank& rank) { rank.launch(by_bytes(input)); });
  }
  /// The last stage's, of which every rank has the same.
  const StepOutput& collect() override {
    std::mutex mutex;
    std::vector<StepOutput> outputs;
    begin([&](Rank& rank) {
      StepOutput output = by_bytes(rank.collect());
      const std::lock_guard lock(mutex);
      if (rank.decoder().has_lm_head()) outputs.push_back(std::move(output));
    });
    finish();
    for (const StepOutput& output : outputs) {
      EXPECT_EQ(tokens_of(output.wanted), tokens_of(outputs[0].wanted));
      EXPECT_EQ(tokens_of(output.drawn), tokens_of(outputs[0].drawn));
      EXPECT_EQ(output.top, outputs[0].top);
      EXPECT_EQ(output.states, outputs[0].states);
    }
    output_ = std::move(outputs[0]);
    return output_;
  }

 private:
  static std::vector<std::pair<int32_t, float>> tokens_of(const std::vector<TokenOutput>& outputs) {
    std::vector<std::pair<int32_t, float>> tokens;
    for (const TokenOutput& output : outputs) tokens.emplace_back(output.token, output.logprob);
    return tokens;
  }

  void begin(const std::function<void(Rank&)>& work) {
    for (const auto& worker : workers_) begun_.push_back(worker->run(work));
  }
  /// Returns when all is done that was begun; throws what it threw.
  void finish() {
    for (std::future<void>& work : begun_) work.wait();
    for (std::future<void>& work : std::exchange(begun_, {})) work.get();
  }

  std::vector<std::unique_ptr<comm::ThreadGroup>> pipelines_;  // by tensor rank
  std::vector<std::unique_ptr<comm::ThreadGroup>> stages_;
  std::vector<std::unique_ptr<Device>> devices_;  // by stage and tensor rank
  std::vector<std::unique_ptr<Worker>> workers_;  // the same
  std::vector<std::future<void>> begun_;
  StepOutput output_;
};

EngineHooks ranks_of(const EngineConfig& config, const Shape& shape, std::optional<Preemption> preempt = {}) {
  return {.preempt_every_draw = preempt,
          .executor = [config, shape](Executor& /*one*/) { return std::make_unique<Ranks>(config, shape); }};
}

/// Prompts longer than Gemma's and Mistral's windows, of every kind of want.
std::vector<Request> requests() {
  std::vector<Request> all;
  all.push_back(token_request(random_tokens(30, 1), {.max_tokens = 12, .logprobs = 2, .prompt_logprobs = 1}));
  all.push_back(token_request(random_tokens(17, 2), {.max_tokens = 12}));
  all.push_back(token_request(random_tokens(40, 3), {.max_tokens = 6, .n = 2, .use_beam_search = true}));
  return all;
}

std::vector<Result> run_all(Engine& engine) {
  std::vector<std::unique_ptr<RequestHandle>> handles;
  for (Request& request : requests()) handles.push_back(engine.submit(std::move(request)));
  std::vector<Result> results;
  for (const auto& handle : handles) results.push_back(handle->result());
  results.push_back(engine.score(score_request(random_tokens(20, 4), {random_tokens(3, 5)}))->result());
  results.push_back(engine.embed({.tokens = random_tokens(25, 6)})->result());
  return results;
}

/// The same tokens, log-probabilities up to `tolerance`.
void expect_same_tokens(const Result& got, const Result& expected, double tolerance) {
  ASSERT_EQ(got.error, expected.error);
  ASSERT_EQ(got.completions.size(), expected.completions.size());
  for (size_t i = 0; i < got.completions.size(); ++i) {
    EXPECT_EQ(got.completions[i].token_ids, expected.completions[i].token_ids);
    EXPECT_NEAR(got.completions[i].cumulative_logprob, expected.completions[i].cumulative_logprob, tolerance);
  }
  ASSERT_EQ(got.prompt_logprobs.size(), expected.prompt_logprobs.size());
  for (size_t i = 0; i < got.prompt_logprobs.size(); ++i) {
    EXPECT_NEAR(got.prompt_logprobs[i].logprob, expected.prompt_logprobs[i].logprob, tolerance);
  }
  ASSERT_EQ(got.embedding.size(), expected.embedding.size());
  for (size_t i = 0; i < got.embedding.size(); ++i) EXPECT_NEAR(got.embedding[i], expected.embedding[i], tolerance);
}

class RanksOf : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (tests_a_gpu()) GTEST_SKIP() << "ranks on GPUs exchange nothing yet";
  }
  EngineConfig config_ = small_config(GetParam());
};

TEST_P(RanksOf, GiveOneRanksTokens) {
  TestEngine one(config_);
  const std::vector<Result> expected = run_all(one);
  for (const Shape shape : {Shape{2, 1}, Shape{4, 1}, Shape{2, 2}}) {
    SCOPED_TRACE(std::to_string(shape.tensor_ranks) + " x " + std::to_string(shape.stages));
    if (one.model().heads % shape.tensor_ranks != 0) continue;
    if (GetParam() == "gpt_oss" && shape.tensor_ranks == 4) continue;  // a block of MXFP4 is no two ranks'
    TestEngine several(config_, ranks_of(config_, shape));
    const std::vector<Result> got = run_all(several);
    for (size_t i = 0; i < got.size(); ++i) expect_same_tokens(got[i], expected[i], 1e-3);
    expect_all_free(several);
  }
}

class StagesOf : public RanksOf {};

// What a stage hands on is what the next would have computed: nothing differs, in what order blocks are moved included.
TEST_P(StagesOf, ChangeNoBit) {
  TestEngine one(config_);
  const std::vector<Result> expected = run_all(one);
  for (const auto preempt : {std::optional<Preemption>(), std::optional(Preemption::kSwap)}) {
    TestEngine several(config_, ranks_of(config_, {.stages = 2}, preempt));
    const std::vector<Result> got = run_all(several);
    for (size_t i = 0; i < got.size(); ++i) {
      expect_same(got[i], expected[i], "request " + std::to_string(i));
      EXPECT_EQ(got[i].embedding, expected[i].embedding);
    }
    expect_all_free(several);
  }
}

// Steps that read what is not drawn yet: the last stage's draws reach the first.
TEST(Ranks, HaveStepsInFlightToo) {
  if (tests_a_gpu()) GTEST_SKIP() << "ranks on GPUs exchange nothing yet";
  const EngineConfig config = small_config("gemma3");
  const LoadedModel one = load_model(config, nullptr, load_hooks());
  const auto groups = static_cast<int>(one.rank->decoder().kv_layout().groups.size());
  const std::vector<StepOutput> expected = run_steps(*one.rank, groups, 1);
  Ranks pipeline(config, {.stages = 2}, 2);
  expect_same(run_steps(pipeline, groups, 2), expected, "two stages");
  Ranks all(config, {.tensor_ranks = 2, .stages = 2}, 2);
  const std::vector<StepOutput> got = run_steps(all, groups, 2);
  for (size_t s = 0; s < got.size(); ++s) {
    ASSERT_EQ(got[s].drawn.size(), expected[s].drawn.size());
    for (size_t i = 0; i < got[s].drawn.size(); ++i) EXPECT_EQ(got[s].drawn[i].token, expected[s].drawn[i].token);
  }
}

std::string name_of(const testing::TestParamInfo<std::string>& test) {
  std::string name = test.param;
  std::ranges::replace(name, '.', '_');
  return name;
}

// Every architecture: windows, tied heads, QK norm, biases, norms on both sides of a branch; one KV head for two and
// four ranks; rotary of both styles; F16, BF16, E4M3 and MXFP4 weights; experts, and those that every token has;
// sinks; compressed keys and values.
const auto kModels = testing::Values(
    "llama", "llama_tied", "llama_yarn", "mistral", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "gpt2", "opt",
    "smollm3_listed", "granite", "glm4", "ministral3", "llama3.gguf", "gemma3.gguf", "llama_fp8", "qwen2_moe",
    "granite_moe_shared", "glm4_moe.gguf", "gpt_oss", "gpt_oss_bf16", "deepseek_v2_lite", "deepseek_v3.gguf");
INSTANTIATE_TEST_SUITE_P(Models, RanksOf, kModels, name_of);
INSTANTIATE_TEST_SUITE_P(Models, StagesOf, kModels, name_of);
// Of those whose heads no ranks can share: layers that begin without a norm.
INSTANTIATE_TEST_SUITE_P(WholeHeads, StagesOf, testing::Values("olmo2", "olmo3"), name_of);

}  // namespace
}  // namespace caravel::engine
