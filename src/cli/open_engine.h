#pragma once

#include <memory>
#include <string>

#include "caravel/engine.h"

namespace caravel::cli {

/// Engine::open(), which says on a terminal that the model is being loaded where that takes a while.
std::unique_ptr<Engine> open_engine(const EngineConfig& config);

/// The same with a context that a command took from what else it was asked for, which `what` says ("windows of 512
/// tokens"): an error of that context is told of it, and is of the command line where the model has no such context.
std::unique_ptr<Engine> open_engine_for(const std::string& what, const EngineConfig& config);

}  // namespace caravel::cli
