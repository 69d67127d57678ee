// A step is a value: written to bytes and read elsewhere, it gives the same answers.

#include <gtest/gtest.h>

#include "engine/harness.h"
#include "engine/step_bytes.h"

namespace caravel::engine {
namespace {

/// Carries out what came through bytes, and gives back what went through bytes.
class DistantExecutor final : public Executor {
 public:
  explicit DistantExecutor(Executor& rank) : rank_(rank) {}

  void launch(const StepInput& input) override { rank_.launch(by_bytes(input)); }
  void wait_for_rows() override { rank_.wait_for_rows(); }
  void launch(const DrawInput& input) override { rank_.launch(by_bytes(input)); }
  const StepOutput& collect() override {
    output_ = by_bytes(rank_.collect());
    return output_;
  }

 private:
  Executor& rank_;
  StepOutput output_;
};

std::vector<Request> answers() {
  std::vector<Request> all;
  const auto add = [&](SamplingParams sampling) {
    const auto seed = static_cast<uint32_t>(all.size());
    all.push_back(token_request(random_tokens(20 + 7 * seed, seed), std::move(sampling)));
  };
  add({.max_tokens = 20});
  add({.max_tokens = 20, .temperature = 0.9F, .top_k = 30, .top_p = 0.9F, .min_p = 0.01F, .seed = 3, .n = 3});
  add({.max_tokens = 20,
       .temperature = 1.0F,
       .typical_p = 0.7F,
       .repetition_penalty = 1.2F,
       .frequency_penalty = 0.3F,
       .logit_bias = {{7, 2.0F}, {9, -3.0F}},
       .seed = 4,
       .logprobs = 3});
  add({.max_tokens = 20,
       .temperature = 1.0F,
       .xtc_probability = 0.5F,
       .bad_words = {"e", "the"},
       .seed = 5,
       .prompt_logprobs = 2});
  add({.max_tokens = 10, .n = 2, .use_beam_search = true, .beam_width = 3});
  all.push_back({.prompt = random_tokens(9, 77),
                 .sampling = {.max_tokens = 20,
                              .temperature = 1.0F,
                              .seed = 6,
                              .grammar = {.kind = GrammarSpec::Kind::kRegex, .text = "[a-c]{3,9}"}}});
  return all;
}

TEST(Step, ThroughBytesGivesTheSameAnswers) {
  for (const std::optional<Preemption> preemption :
       {std::optional<Preemption>(), std::optional(Preemption::kSwap), std::optional(Preemption::kRecompute)}) {
    TestEngine near(small_config());
    TestEngine distant(small_config(), {.preempt_every_draw = preemption, .executor = [](Executor& rank) {
                                          return std::make_unique<DistantExecutor>(rank);
                                        }});
    std::vector<Result> expected;
    for (Request& request : answers()) expected.push_back(run(near, std::move(request)));
    std::vector<std::unique_ptr<RequestHandle>> handles;
    for (Request& request : answers()) handles.push_back(distant.submit(std::move(request)));
    for (size_t i = 0; i < handles.size(); ++i) {
      expect_same(expected[i], handles[i]->result(), "answer " + std::to_string(i));
    }
    ScoreRequest scores;
    scores.items.push_back({random_tokens(30, 1), {random_tokens(9, 2), random_tokens(1, 3)}});
    const Result near_scores = near.score(scores)->result();
    const Result distant_scores = distant.score(scores)->result();
    for (size_t k = 0; k < 2; ++k) {
      EXPECT_EQ(distant_scores.scores[0].at(k).token_logprobs, near_scores.scores[0].at(k).token_logprobs);
    }
    const auto tokens = random_tokens(40, 5);
    EXPECT_EQ(distant.embed({.tokens = tokens})->result().embedding,
              near.embed({.tokens = tokens})->result().embedding);
    expect_all_free(distant);
  }
}

}  // namespace
}  // namespace caravel::engine
