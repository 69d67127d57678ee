#include "device/cpu/cpu_device.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "base/available_memory.h"
#include "base/clock.h"
#include "base/error.h"

namespace caravel {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kChunkBytes = 16 * kHugePage;

/// Mapped and not from the heap: zero pages cost nothing until they are touched, and go back when freed. From a huge
/// page's beginning on, with huge pages where the system gives them: weights are read front to back, and each 4 KiB
/// page would cost a look into the page table and stop the processor's own prefetching.
std::byte* map_pages(size_t bytes, const Device& device) {
  const size_t mapped = bytes + kHugePage;
  void* const data =
      mapped < bytes ? MAP_FAILED : ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) {
    throw fail<CapacityError>("cannot allocate {} MiB of memory; {} MiB are available", bytes >> 20,
                              device.memory_available() >> 20);
  }
  auto* const begin = static_cast<std::byte*>(data);
  const size_t before = -reinterpret_cast<uintptr_t>(begin) % kHugePage;
  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t used = (bytes + page - 1) / page * page;
  if (before > 0) ::munmap(begin, before);
  if (kHugePage > before) ::munmap(begin + before + used, mapped - before - used);
#ifdef MADV_HUGEPAGE
  ::madvise(begin + before, used, MADV_HUGEPAGE);
#endif
  return begin + before;
}

}  // namespace

CpuDevice::CpuDevice(int threads, Isa isa) : isa_(isa), pool_(threads == 0 ? usable_processors() : threads) {}

std::string CpuDevice::name() const { return fmt::format("CPU ({}, {} threads)", isa_name(isa_), pool_.size()); }

Buffer CpuDevice::allocate(size_t bytes) {
  if (bytes == 0) return {};
  if (bytes >= kChunkBytes / 2) return Buffer(this, map_pages(bytes, *this), bytes);
  const std::lock_guard lock(mutex_);
  if (chunks_.empty() || chunks_.back().used + bytes > kChunkBytes) {
    chunks_.push_back({.base = map_pages(kChunkBytes, *this)});
  }
  Chunk& chunk = chunks_.back();
  std::byte* const data = chunk.base + chunk.used;
  chunk.used += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  ++chunk.buffers;
  return Buffer(this, data, bytes);
}

void CpuDevice::release(void* data, size_t bytes) {
  if (bytes >= kChunkBytes / 2) {
    ::munmap(data, bytes);
    return;
  }
  const std::lock_guard lock(mutex_);
  const auto chunk = std::ranges::find_if(chunks_, [at = static_cast<std::byte*>(data)](const Chunk& c) {
    return at >= c.base && at < c.base + kChunkBytes;
  });
  CARAVEL_CHECK(chunk != chunks_.end());
  if (--chunk->buffers > 0) return;
  ::munmap(chunk->base, kChunkBytes);  // it is not used again: buffers begin zeroed
  chunks_.erase(chunk);
}

size_t CpuDevice::memory_available() const { return static_cast<size_t>(available_memory().bytes); }

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
          if (command.meet) pool.barrier();
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
