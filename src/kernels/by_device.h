#pragma once

#include <type_traits>

#include "base/error.h"
#include "device/device.h"

/// What a build with CUDA has, and nullptr in one without: names that are declared, but not defined there.
#ifdef CARAVEL_CUDA
#define CARAVEL_IF_CUDA(name) name
#else
#define CARAVEL_IF_CUDA(name) nullptr
#endif

namespace caravel::kernels {

/// The one of an op's functions that is the device's. This is the only way from a contract to a device: kernels/<op>.cc
/// declares what each device's folder defines in a namespace of the same name, and calls the one that this picks:
///
///   namespace cpu {
///   void rms_norm(Stream& stream, const RmsNormArgs& args);
///   }
///   namespace cuda {
///   void rms_norm(Stream& stream, const RmsNormArgs& args);
///   }
///   void rms_norm(Stream& stream, const RmsNormArgs& args) {
///     by_device(stream.device(), cpu::rms_norm, CARAVEL_IF_CUDA(cuda::rms_norm))(stream, args);
///   }
///
/// A device that has no such op is left out, or nullptr. Throws Unsupported where the op has no function for the
/// device, with both names.
template <typename Function>
Function* by_device(const Device& device, Function* cpu, std::type_identity_t<Function>* cuda = nullptr,
                    const char* op = __builtin_FUNCTION()) {
  Function* const function = device.kind() == DeviceKind::kCpu ? cpu : cuda;
  if (function == nullptr) throw fail<Unsupported>("{} has no {}", device.name(), op);
  return function;
}

}  // namespace caravel::kernels
