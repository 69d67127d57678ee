#include "device/cpu/cpu_device.h"

#include <sys/mman.h>
#include <unistd.h>

#include <fstream>

#include "base/clock.h"
#include "base/error.h"

namespace caravel {

CpuDevice::CpuDevice(int threads, Isa isa) : isa_(isa), pool_(threads == 0 ? usable_processors() : threads) {}

std::string CpuDevice::name() const { return fmt::format("CPU ({}, {} threads)", isa_name(isa_), pool_.size()); }

Buffer CpuDevice::allocate(size_t bytes) {
  if (bytes == 0) return {};
  // Mapped and not from the heap: zero pages cost nothing until they are touched, and go back when freed.
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) {
    throw fail<CapacityError>("cannot allocate {} MiB of memory; {} MiB are available", bytes >> 20,
                              memory_available() >> 20);
  }
#ifdef MADV_HUGEPAGE
  constexpr size_t kHugePage = size_t{2} << 20;
  if (bytes >= kHugePage) ::madvise(data, bytes, MADV_HUGEPAGE);
#endif
  return Buffer(this, data, bytes);
}

void CpuDevice::release(void* data, size_t bytes) { ::munmap(data, bytes); }

size_t CpuDevice::memory_available() const {
  std::ifstream meminfo("/proc/meminfo");
  std::string key;
  size_t kib = 0;
  std::string unit;
  while (meminfo >> key >> kib >> unit) {
    if (key == "MemAvailable:") return kib << 10;
  }
  return static_cast<size_t>(::sysconf(_SC_AVPHYS_PAGES)) * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

std::unique_ptr<Stream> CpuDevice::make_stream() { return std::make_unique<CpuStream>(*this); }

void CpuStream::synchronize() {
  if (commands_.empty()) return;
  device_.pool().run(
      [](void* context, int rank) {
        auto& self = *static_cast<CpuStream*>(context);
        ThreadPool& pool = self.device_.pool();
        const bool timed = rank == 0 && self.profiling();
        Clock::time_point begin = timed ? Clock::now() : Clock::time_point();
        for (const Command& command : self.commands_) {
          command.call(command, rank, pool.size());
          pool.barrier();
          if (timed) {
            const Clock::time_point end = Clock::now();
            self.add_time(command.region, std::chrono::duration<double>(end - begin).count());
            begin = end;
          }
        }
      },
      this);
  commands_.clear();
}

}  // namespace caravel
