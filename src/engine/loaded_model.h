#pragma once

#include <memory>

#include "caravel/config.h"
#include "caravel/engine.h"
#include "caravel/tokenizer.h"
#include "chat/renderer.h"
#include "comm/host_relay.h"
#include "device/device.h"
#include "engine/load_hooks.h"
#include "engine/rank.h"
#include "format/weight_source.h"

namespace caravel::engine {

/// How an engine is laid out, chosen from its configuration, the model and the machine.
struct Sizes {
  int max_model_len = 0;
  kernels::KvDtype kv_dtype = kernels::KvDtype::kF16;
  int blocks = 0;
  int host_blocks = 0;
  int steps_in_flight = 1;
};

/// A model in memory, ready to run, with its text side. Its files are closed.
struct LoadedModel {
  EngineConfig config;  // with_step_sizes()
  std::unique_ptr<Device> device;
  std::unique_ptr<Device> cpu;  // of the first layers, where `device` has some of them alone
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<chat::Renderer> renderer;  // refers to the tokenizer
  GenerationDefaults generation_defaults;    // every id that ends an answer is in it
  Sizes sizes;
  std::unique_ptr<comm::HostRelay> relay;  // between the two
  std::unique_ptr<Rank> cpu_rank;
  std::unique_ptr<Rank> rank;
  std::unique_ptr<Executor> stages;  // both ranks; nothing where `rank` has all layers

  Executor& executor() const { return stages ? *stages : static_cast<Executor&>(*rank); }
  ModelInfo info;
};

/// The configuration's model, by its files' headers. Throws what Engine::open() throws.
std::unique_ptr<format::WeightSource> open_source(const EngineConfig& config);

/// Fills in what the weights of the files are.
void describe_weights(const format::WeightSource& source, ModelInfo& info);

/// source: what open_source() gives, or nothing, and then it is opened. Throws what Engine::open() throws.
LoadedModel load_model(const EngineConfig& config, std::unique_ptr<format::WeightSource> source = nullptr,
                       const LoadHooks& hooks = {});

}  // namespace caravel::engine
