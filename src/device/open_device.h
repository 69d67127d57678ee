#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "device/device.h"

namespace caravel {

struct EngineConfig;  // caravel/config.h

/// What a configuration's `device` names.
struct DeviceChoice {
  DeviceKind kind = DeviceKind::kCpu;
  int ordinal = 0;  // of a GPU
  std::string why;  // for people
};

/// "cpu", "cuda", "cuda:1", or "auto": the first GPU where one can be opened, else the CPU. Throws InvalidArgument for
/// another text.
DeviceChoice choose_device(std::string_view device);

/// Throws InvalidArgument where choose_device() would.
void check_device(std::string_view device);

/// The device that a configuration asks for. Throws InvalidArgument where there is none like it, and Unsupported where
/// it cannot be used here.
std::unique_ptr<Device> open_device(const EngineConfig& config);

}  // namespace caravel
