#include "device/cuda/check_cuda.h"

#include "base/error.h"

namespace caravel {
namespace {

/// Whether an error was of one call alone: the next ones may succeed.
bool passes(cudaError_t status) {
  switch (status) {
    case cudaErrorInvalidValue:
    case cudaErrorInvalidConfiguration:
    case cudaErrorInvalidDevice:
    case cudaErrorInvalidDeviceFunction:
    case cudaErrorInvalidResourceHandle:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorLaunchOutOfResources:
    case cudaErrorStreamCaptureUnsupported:
    case cudaErrorStreamCaptureInvalidated:
    case cudaErrorNotSupported:
      return true;
    default:
      return false;
  }
}

}  // namespace

void check_cuda(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // else a later call would report it once more
  if (status == cudaErrorMemoryAllocation) throw fail<CapacityError>("{}: out of device memory", what);
  const char* const text = cudaGetErrorString(status);
  const char* const name = cudaGetErrorName(status);
  if (passes(status)) throw fail<Error>("{}: {} ({})", what, text, name);
  throw fail<DeviceLost>("{}: {} ({}); the device is lost to this process, which has to be started again", what, text,
                         name);
}

}  // namespace caravel
