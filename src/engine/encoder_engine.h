#pragma once

#include <memory>

#include "caravel/engine.h"
#include "engine/encoder_loop.h"
#include "engine/handle.h"
#include "engine/loaded_encoder.h"

namespace caravel::engine {

/// An engine of a BERT-like encoder: it makes embeddings, and refuses everything else.
class EncoderEngine final : public Engine {
 public:
  EncoderEngine(const EngineConfig& config, std::unique_ptr<format::WeightSource> source, const LoadHooks& hooks = {});

  std::unique_ptr<RequestHandle> submit(Request request, OnNews on_news = {}) override;
  std::unique_ptr<RequestHandle> chat(ChatRequest request, OnNews on_news = {}) override;
  std::unique_ptr<RequestHandle> score(ScoreRequest request, OnNews on_news = {}) override;
  std::unique_ptr<RequestHandle> embed(EmbedRequest request, OnNews on_news = {}) override;
  Stats stats() const override { return loop_.stats(); }
  const ModelInfo& model() const override { return loaded_.info; }
  const GenerationDefaults& generation_defaults() const override { return defaults_; }
  const Tokenizer& tokenizer() const override { return *loaded_.tokenizer; }
  EngineMonitor& monitor() override { return loop_; }

 private:
  [[noreturn]] void refuse() const;

  LoadedEncoder loaded_;
  const GenerationDefaults defaults_;  // it generates nothing
  RequestNumbers numbers_;
  EncoderLoop loop_;  // last: its thread uses the above
};

}  // namespace caravel::engine
