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
  throw fail<Error>("{}: {} ({}){}", what, cudaGetErrorString(status), cudaGetErrorName(status),
                    passes(status) ? "" : "; the device is lost to this process, which has to be started again");
}

}  // namespace caravel
