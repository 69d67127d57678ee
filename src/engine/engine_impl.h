#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "caravel/engine.h"
#include "engine/check_request.h"
#include "engine/engine_loop.h"
#include "engine/executor.h"
#include "engine/handle.h"
#include "engine/loaded_model.h"
#include "engine/logprob_store.h"
#include "engine/score_task.h"

namespace caravel::engine {

/// What tests may ask of an engine beyond its configuration.
struct EngineHooks {
  std::optional<Preemption> preempt_every_draw;                       // SchedulerConfig's
  std::function<std::unique_ptr<Executor>(Executor& rank)> executor;  // what carries steps out in the rank's place
  std::function<void()> before_mask;                                  // on the thread that makes masks
  LoadHooks load;
};

class EngineImpl : public Engine {
 public:
  /// source: the model's files; nothing: those that the configuration names.
  explicit EngineImpl(const EngineConfig& config, const EngineHooks& hooks = {},
                      std::unique_ptr<format::WeightSource> source = nullptr);

  std::unique_ptr<RequestHandle> submit(Request request, OnNews on_news = {}) override;
  std::unique_ptr<RequestHandle> chat(ChatRequest request, OnNews on_news = {}) override;
  std::unique_ptr<RequestHandle> score(ScoreRequest request, OnNews on_news = {}) override;
  std::unique_ptr<RequestHandle> embed(EmbedRequest request, OnNews on_news = {}) override;
  Stats stats() const override { return loop_.stats(); }
  const ModelInfo& model() const override { return model_.info; }
  const GenerationDefaults& generation_defaults() const override { return model_.generation_defaults; }
  const Tokenizer& tokenizer() const override { return *model_.tokenizer; }
  EngineMonitor& monitor() override { return loop_; }

 private:
  EngineImpl(const EngineHooks& hooks, LoadedModel model);
  std::unique_ptr<RequestHandle> run(std::vector<std::shared_ptr<Task>> tasks, std::shared_ptr<RequestChannel> channel,
                                     Budget::Part logprobs = {});
  /// Memory for so many. Throws Busy.
  Budget::Part hold_logprobs(int64_t bytes) const;
  void check_score(const ScoreRequest& request) const;
  /// What of the request each task is to score.
  std::vector<ScoreTask::Part> score_parts(const ScoreRequest& request) const;

  LoadedModel model_;
  const std::unique_ptr<Executor> executor_;  // in the rank's place, where there is one
  LogprobStore store_;
  const RequestLimits limits_;
  const Budget logprobs_;                                                 // bytes that requests may have at once
  const std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();  // the loop's
  Grammars grammars_;
  const uint64_t seed_;
  RequestNumbers numbers_;
  EngineLoop loop_;  // last: its thread uses all of the above
};

}  // namespace caravel::engine
