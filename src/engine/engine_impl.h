#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "caravel/engine.h"
#include "engine/engine_loop.h"
#include "engine/kv_storage.h"
#include "engine/loaded_model.h"
#include "engine/logprob_store.h"
#include "engine/make_generation.h"
#include "engine/model_runner.h"

namespace caravel::engine {

/// What tests may ask of an engine beyond its configuration.
struct EngineHooks {
  std::optional<Preemption> preempt_every_draw;  // SchedulerConfig's
  EngineLoop::StepHook before_step;
};

class EngineImpl final : public Engine {
 public:
  explicit EngineImpl(const EngineConfig& config, const EngineHooks& hooks = {});

  std::unique_ptr<RequestHandle> submit(Request request, std::function<void()> on_news = {}) override;
  std::vector<Score> score(const ScoreRequest& request) override;
  std::vector<float> embed(std::span<const int32_t> tokens) override;
  Stats stats() const override { return loop_.stats(); }
  Monitor monitor(uint64_t since_step) const override { return loop_.monitor(since_step); }
  const ModelInfo& model() const override { return model_.info; }
  const GenerationDefaults& generation_defaults() const override { return model_.generation_defaults; }
  const Tokenizer& tokenizer() const override { return *model_.tokenizer; }
  const text::ChatTemplate* chat_template() const override { return model_.chat_template.get(); }
  void check_integrity() override { loop_.check_integrity(); }

 private:
  EngineImpl(const EngineConfig& config, const EngineHooks& hooks, LoadedModel model);
  std::vector<Score> score_at_once(ScoreRequest request);

  const EngineConfig config_;
  LoadedModel model_;
  KvStorage storage_;
  LogprobStore store_;
  ModelRunner runner_;
  const RequestLimits limits_;
  Grammars grammars_;
  const uint64_t seed_;
  std::atomic<uint64_t> requests_{0};
  EngineLoop loop_;  // last: its thread uses all of the above
};

}  // namespace caravel::engine
