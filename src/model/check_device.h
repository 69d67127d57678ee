#pragma once

#include "device/device.h"
#include "model/config.h"

namespace caravel::model {

/// That the device has a kernel for everything the configuration asks for, so that nobody loads a model to learn that
/// it cannot run. Throws Unsupported, which names the model, the device and what is missing there.
void check_device(const Device& device, const ModelConfig& config);

}  // namespace caravel::model
