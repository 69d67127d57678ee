#include "device/cuda/choose_cuda.h"

#include <sstream>

#include "base/error.h"
#include "device/cuda/cuda_device.h"
#include "device/cuda_backend.h"

namespace caravel {
namespace {

std::string version_text(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

/// How many devices there are, where any can be used; else why not.
std::string count_devices(int& count) {
  count = 0;
  int driver = 0;
  cudaDriverGetVersion(&driver);
  if (driver == 0) return "there is no NVIDIA driver";
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) cudaGetLastError();
  if (status == cudaErrorInsufficientDriver) {
    return fmt::format("the NVIDIA driver is too old: it runs programs of CUDA {}, this one is of {}",
                       version_text(driver), version_text(CUDART_VERSION));
  }
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) return "there is no NVIDIA GPU";
  if (status != cudaSuccess) return fmt::format("CUDA does not start: {}", cudaGetErrorString(status));
  return "";
}

/// Whether machine code of an architecture ("90a", "80") runs there: with an "a" on that one alone, else on what comes
/// after it within the major version too.
bool runs_on(const std::string& architecture, const cudaDeviceProp& device) {
  const bool alone = architecture.ends_with('a');
  const int number = std::stoi(architecture);
  const int capability = 10 * device.major + device.minor;
  return alone ? number == capability : number / 10 == device.major && number <= capability;
}

std::string why_not(const cudaDeviceProp& device) {
  std::istringstream built(CARAVEL_CUDA_ARCHITECTURES);  // separated by spaces
  std::string architecture;
  while (built >> architecture) {
    if (runs_on(architecture, device)) return "";
  }
  return fmt::format("{} has the compute capability {}.{}; this build has kernels for {} (CARAVEL_CUDA_ARCHITECTURES)",
                     device.name, device.major, device.minor, CARAVEL_CUDA_ARCHITECTURES);
}

cudaDeviceProp properties_of(int ordinal) {
  cudaDeviceProp properties{};
  check_cuda(cudaGetDeviceProperties(&properties, ordinal), "asking what a device is");
  return properties;
}

}  // namespace

cudaDeviceProp cuda_properties(int ordinal) {
  int count = 0;
  if (const std::string why = count_devices(count); !why.empty()) throw Unsupported(why);
  if (ordinal < 0 || ordinal >= count) {
    throw fail<InvalidArgument>("there is no device cuda:{}: there {} {} (CUDA_VISIBLE_DEVICES counts)", ordinal,
                                count == 1 ? "is" : "are", count);
  }
  const cudaDeviceProp properties = properties_of(ordinal);
  if (const std::string why = why_not(properties); !why.empty()) throw Unsupported(why);
  return properties;
}

bool built_with_cuda() { return true; }

std::string why_no_cuda() {
  int count = 0;
  const std::string why = count_devices(count);
  return why.empty() ? why_not(properties_of(0)) : why;
}

bool built_for(std::string_view architecture) {
  std::istringstream built(CARAVEL_CUDA_ARCHITECTURES);
  std::string each;
  while (built >> each) {
    if (each == architecture) return true;
  }
  return false;
}

std::unique_ptr<Device> open_cuda(int ordinal, int most_capability) {
  return std::make_unique<CudaDevice>(ordinal, most_capability);
}

}  // namespace caravel
