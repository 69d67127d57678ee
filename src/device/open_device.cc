#include "device/open_device.h"

#include <optional>

#include "base/error.h"
#include "base/numbers.h"
#include "caravel/config.h"
#include "device/cpu/cpu_device.h"
#include "device/cuda_backend.h"

namespace caravel {
namespace {

constexpr std::string_view kAuto = "auto";
constexpr std::string_view kCpu = "cpu";
constexpr std::string_view kCuda = "cuda";

/// N of "cuda:N", 0 of "cuda".
std::optional<int> cuda_ordinal(std::string_view device) {
  if (device == kCuda) return 0;
  if (!device.starts_with("cuda:")) return std::nullopt;
  const auto ordinal = parse_number<int>(device.substr(kCuda.size() + 1));
  return ordinal && *ordinal >= 0 ? ordinal : std::nullopt;
}

}  // namespace

void check_device(std::string_view device) {
  if (device == kAuto || device == kCpu || cuda_ordinal(device)) return;
  throw fail<InvalidArgument>("device is '{}'; it must be auto, cpu, cuda or cuda:N", device);
}

DeviceChoice choose_device(std::string_view device) {
  check_device(device);
  if (device == kCpu) return {.why = "given"};
  if (const auto ordinal = cuda_ordinal(device)) return {DeviceKind::kCuda, *ordinal, "given"};
  if (const std::string why = why_no_cuda(); !why.empty()) return {.why = why};
  return {DeviceKind::kCuda, 0, "there is a GPU"};
}

std::unique_ptr<Device> open_device(const EngineConfig& config) {
  const DeviceChoice choice = choose_device(config.device);
  if (choice.kind == DeviceKind::kCuda) {
    try {
      return open_cuda(choice.ordinal);
    } catch (const Unsupported& error) {
      throw fail<Unsupported>("device {}: {}", config.device, error.what());
    }
  }
  return std::make_unique<CpuDevice>(config.threads, choose_isa(config.isa));
}

}  // namespace caravel
