#pragma once

#include "base/error.h"
#include "device/device.h"

namespace caravel::kernels {

/// The one of an op's functions that is the device's. This is the only way from a contract to a device: kernels/<op>.cc
/// declares what each device's folder defines in a namespace of the same name, and calls the one that this picks:
///
///   namespace cpu {
///   void rms_norm(Stream& stream, const RmsNormArgs& args);
///   }
///   void rms_norm(Stream& stream, const RmsNormArgs& args) { by_device(stream.device(), cpu::rms_norm)(stream, args);
///   }
///
/// A further device is a parameter here that may be nullptr, and a name more in the calls of those ops that it has.
/// Throws Unsupported where the op has no function for the device, with both names.
template <typename Function>
Function* by_device(const Device& device, Function* cpu, const char* op = __builtin_FUNCTION()) {
  switch (device.kind()) {
    case DeviceKind::kCpu:
      return cpu;
    case DeviceKind::kCuda:
      break;
  }
  throw fail<Unsupported>("{} has no {}", device.name(), op);
}

}  // namespace caravel::kernels
