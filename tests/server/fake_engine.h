#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "caravel/engine.h"

namespace caravel::server {

/// An engine that runs nothing and says of itself what a test wants.
class FakeEngine final : public Engine {
 public:
  FakeEngine() {
    info.name = "fake";
    info.max_model_len = 2048;
  }

  std::unique_ptr<RequestHandle> submit(Request, std::function<void()>) override { throw Unsupported("fake"); }
  std::vector<Score> score(const ScoreRequest&) override { throw Unsupported("fake"); }
  std::vector<float> embed(std::span<const int32_t>) override { throw Unsupported("fake"); }
  Stats stats() const override { return now; }
  Monitor monitor(uint64_t) const override { return {}; }
  const ModelInfo& model() const override { return info; }
  const GenerationDefaults& generation_defaults() const override { return defaults; }
  const Tokenizer& tokenizer() const override { throw Unsupported("fake"); }
  const text::ChatTemplate* chat_template() const override { return nullptr; }
  void check_integrity() override {}

  Stats now;
  ModelInfo info;
  GenerationDefaults defaults;
};

}  // namespace caravel::server
