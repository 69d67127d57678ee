#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "device/open_device.h"

namespace caravel::engine {

/// What tests may ask of where a model is loaded, beyond its configuration.
struct LoadHooks {
  std::function<std::unique_ptr<Device>(const EngineConfig&)> open_device = caravel::open_device;
  std::optional<int> steps_in_flight;  // that a rank has room for; nothing: what pays on the device
};

}  // namespace caravel::engine
