#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "device/device.h"

namespace caravel {

struct EngineConfig;  // caravel/config.h

/// What a configuration's `device` names.
struct DeviceChoice {
  DeviceKind kind = DeviceKind::kCpu;
  int ordinal = 0;            // of a GPU
  int64_t planned_bytes = 0;  // of a GPU that is not there; 0: it is
  std::string why;            // for people
};

/// "cpu", "cuda", "cuda:1", "cuda:80GiB" (to plan with, device/planned_device.h), or "auto": the first GPU where one
/// can be opened, else the CPU. Throws InvalidArgument for another text.
DeviceChoice choose_device(std::string_view device);

/// Throws InvalidArgument where choose_device() would.
void check_device(std::string_view device);

/// The device that a configuration asks for. Throws InvalidArgument where there is none like it, and Unsupported where
/// it cannot be used here or is for planning alone.
std::unique_ptr<Device> open_device(const EngineConfig& config);

/// The same for who plans and runs nothing.
std::unique_ptr<Device> open_device_to_plan(const EngineConfig& config);

}  // namespace caravel
