#pragma once

#include <memory>

#include "device/device.h"

namespace caravel {

struct EngineConfig;  // caravel/config.h

/// The device that a configuration asks for. Throws InvalidArgument where there is none like it.
std::unique_ptr<Device> open_device(const EngineConfig& config);

}  // namespace caravel
