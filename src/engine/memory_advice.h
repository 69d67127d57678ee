#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "caravel/config.h"
#include "engine/memory_plan.h"
#include "model/weight_layout.h"

namespace caravel::engine {

/// A model's weights as llama.cpp's converter would quantise them.
struct Quantization {
  std::string_view name;  // as files are called: "Q4_K_M"
  int64_t bytes = 0;      // packed
};

/// Those that are smaller on `device` than the weights as they are, the largest first.
std::vector<Quantization> smaller_quantizations(Device& device, const model::WeightLayout& weights);

/// What to change where plan_memory() refuses `config` or its plan does not fit: each change alone makes it fit, and
/// says its numbers. "...; or ..."; empty: none does. `memory`: what the model takes under a configuration.
std::string memory_advice(const MemoryRoom& room, const EngineConfig& config,
                          const std::function<ModelMemory(const EngineConfig&)>& memory,
                          const std::vector<Quantization>& smaller);

/// Where none of that makes a model fit: how large one may be. Empty: there is no room for any.
std::string smaller_model(const MemoryPlan& plan, const std::vector<Quantization>& smaller);

/// Of a model that no change makes fit: what would. `smaller` as above.
std::string largest_that_fits(const MemoryPlan& plan, const std::vector<Quantization>& smaller);

}  // namespace caravel::engine
