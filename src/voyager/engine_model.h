#pragma once

#include <cstdint>
#include <memory>

#include "caravel/engine.h"
#include "voyager/model.h"

namespace caravel::voyager {

/// How an engine of this process answers.
struct EngineModelConfig {
  SamplingParams sampling;  // without a grammar: a request's schema is that
  Prices prices;
};

/// The chats of an engine in this process, which must outlive it. An answer is held to its request's schema by a
/// grammar. ModelError: what the engine says, of a prompt that is longer than its context too.
std::unique_ptr<ChatModel> make_engine_model(Engine& engine, const EngineModelConfig& config);

/// An encoder's embeddings (MiniLM), or the mean of the last hidden states of a model that chats. Texts that are longer
/// than the context are cut to it.
std::unique_ptr<Embedder> make_engine_embedder(Engine& engine);

}  // namespace caravel::voyager
