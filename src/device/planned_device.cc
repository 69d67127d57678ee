#include "device/planned_device.h"

#include "base/available_memory.h"
#include "base/error.h"

namespace caravel {
namespace {

[[noreturn]] void refuse(const Device& device) { throw fail<Unsupported>("{} is not there", device.name()); }

}  // namespace

std::string PlannedDevice::name() const { return fmt::format("a GPU of {} (CUDA)", memory_text(bytes_)); }
Buffer PlannedDevice::allocate(size_t) { refuse(*this); }
HostBuffer PlannedDevice::allocate_host(size_t) { refuse(*this); }
std::unique_ptr<Stream> PlannedDevice::make_stream() { refuse(*this); }
std::unique_ptr<Event> PlannedDevice::make_event() { refuse(*this); }

}  // namespace caravel
