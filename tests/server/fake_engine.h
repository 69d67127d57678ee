#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "caravel/engine.h"
#include "caravel/monitor.h"

namespace caravel::server {

/// An engine that runs nothing and says of itself what a test wants.
class FakeEngine : public Engine {
 public:
  FakeEngine() {
    info.name = "fake";
    info.max_model_len = 2048;
  }

  std::unique_ptr<RequestHandle> submit(Request, OnNews) override { throw Unsupported("fake"); }
  std::unique_ptr<RequestHandle> chat(ChatRequest, OnNews) override { throw Unsupported("fake"); }
  std::unique_ptr<RequestHandle> score(ScoreRequest, OnNews) override { throw Unsupported("fake"); }
  std::unique_ptr<RequestHandle> embed(EmbedRequest, OnNews) override { throw Unsupported("fake"); }
  Stats stats() const override { return now; }
  const ModelInfo& model() const override { return info; }
  const GenerationDefaults& generation_defaults() const override { return defaults; }
  const Tokenizer& tokenizer() const override { throw Unsupported("fake"); }
  EngineMonitor& monitor() override { return quiet; }

  /// Sees nothing.
  class Quiet final : public EngineMonitor {
   public:
    EngineReport report(uint64_t) const override { return {}; }
    void check_integrity() override {}
  };

  Stats now;
  Quiet quiet;
  ModelInfo info;
  GenerationDefaults defaults;
};

}  // namespace caravel::server
