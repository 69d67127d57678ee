#include "device/open_device.h"

#include <optional>

#include "base/byte_size.h"
#include "base/error.h"
#include "base/numbers.h"
#include "caravel/config.h"
#include "device/cpu/cpu_device.h"
#include "device/cuda_backend.h"
#include "device/planned_device.h"

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

/// Bytes of "cuda:80GiB".
std::optional<int64_t> planned_bytes(std::string_view device) {
  if (!device.starts_with("cuda:")) return std::nullopt;
  const auto bytes = parse_byte_size(device.substr(kCuda.size() + 1));
  return bytes && *bytes > 0 ? bytes : std::nullopt;
}

}  // namespace

void check_device(std::string_view device) {
  if (device == kAuto || device == kCpu || cuda_ordinal(device) || planned_bytes(device)) return;
  throw fail<InvalidArgument>("device is '{}'; it must be auto, cpu, cuda or cuda:N", device);
}

DeviceChoice choose_device(std::string_view device) {
  check_device(device);
  if (device == kCpu) return {.why = "given"};
  if (const auto ordinal = cuda_ordinal(device)) return {DeviceKind::kCuda, *ordinal, 0, "given"};
  if (const auto bytes = planned_bytes(device)) return {DeviceKind::kCuda, 0, *bytes, "given"};
  if (const std::string why = why_no_cuda(); !why.empty()) return {.why = why};
  return {.kind = DeviceKind::kCuda, .why = "there is a GPU"};
}

std::unique_ptr<Device> open_device(const EngineConfig& config) {
  const DeviceChoice choice = choose_device(config.device);
  if (choice.planned_bytes > 0) {
    throw fail<Unsupported>("device {} is not there: it is for planning (caravel inspect)", config.device);
  }
  if (choice.kind == DeviceKind::kCuda) {
    try {
      return open_cuda(choice.ordinal);
    } catch (const Unsupported& error) {
      throw fail<Unsupported>("device {}: {}", config.device, error.what());
    }
  }
  return std::make_unique<CpuDevice>(config.threads, choose_isa(config.isa));
}

std::unique_ptr<Device> open_device_to_plan(const EngineConfig& config) {
  const DeviceChoice choice = choose_device(config.device);
  if (choice.planned_bytes == 0) return open_device(config);
  if (!built_with_cuda()) throw fail<Unsupported>("device {}: {}", config.device, why_no_cuda());
  return std::make_unique<PlannedDevice>(choice.planned_bytes);
}

}  // namespace caravel
