#include "device/cpu/cpu_device.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "base/available_memory.h"
#include "base/clock.h"
#include "base/error.h"

namespace caravel {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kChunkBytes = 16 * kHugePage;

// AddressSanitizer sees what is read or written beside a buffer where each lies by itself on the heap.
#ifdef __SANITIZE_ADDRESS__
constexpr bool kFromHeap = true;
#else
constexpr bool kFromHeap = false;
#endif

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

class CpuEvent final : public Event {
 public:
  void wait() override {
    if (stream != nullptr) stream->run_until(position);
  }

  CpuStream* stream = nullptr;
  uint64_t position = 0;
};

struct CpuCommandList final : CommandList {
  std::vector<CpuCommand> commands;
};

struct CopyArgs {
  void* to;
  const void* from;
  size_t bytes;
};

void copy_share(const CopyArgs& args, int rank, int size) {
  constexpr int64_t kGrain = 64 << 10;
  const Range range = share_of(static_cast<int64_t>(args.bytes), rank, size, kGrain);
  if (range.begin == range.end) return;
  std::memcpy(static_cast<std::byte*>(args.to) + range.begin, static_cast<const std::byte*>(args.from) + range.begin,
              static_cast<size_t>(range.end - range.begin));
}

}  // namespace

/// A chunk is not used again: buffers begin zeroed.
CpuDevice::CpuDevice(int threads, Isa isa)
    : isa_(isa),
      pool_(threads == 0 ? usable_processors() : threads),
      chunks_(kChunkBytes, kAlignment, Chunks::WhenEmpty::kFree) {}

std::string CpuDevice::name() const { return fmt::format("CPU ({}, {} threads)", isa_name(isa_), pool_.size()); }

std::byte* CpuDevice::take_memory(size_t bytes) {
  const auto map = [this](size_t mapped) { return map_pages(mapped, *this); };
  if (bytes == 0) return nullptr;
  if (!chunks_.holds(bytes)) return map(bytes);
  if (!kFromHeap) return chunks_.take(bytes, map);
  void* const data = ::operator new(bytes, std::align_val_t{kAlignment});
  return static_cast<std::byte*>(std::memset(data, 0, bytes));
}

void CpuDevice::give_back_memory(void* data, size_t bytes) {
  if (bytes == 0) return;
  if (!chunks_.holds(bytes)) {
    ::munmap(data, bytes);
  } else if (kFromHeap) {
    ::operator delete(data, std::align_val_t{kAlignment});
  } else {
    chunks_.give_back(data, ::munmap);
  }
}

size_t CpuDevice::memory_available() const { return static_cast<size_t>(available_memory().bytes); }

std::unique_ptr<Stream> CpuDevice::make_stream() { return std::make_unique<CpuStream>(*this); }

std::unique_ptr<Event> CpuDevice::make_event() { return std::make_unique<CpuEvent>(); }

void CpuStream::copy(void* to, const void* from, size_t bytes) { enqueue(copy_share, CopyArgs{to, from, bytes}); }

void CpuStream::record(Event& event) {
  CARAVEL_CHECK(!captured_);
  auto& recorded = static_cast<CpuEvent&>(event);
  recorded.stream = this;
  recorded.position = end_;
}

void CpuStream::wait(const Event& event) {
  CARAVEL_CHECK(!captured_);
  const auto& recorded = static_cast<const CpuEvent&>(event);
  if (recorded.stream == nullptr || recorded.stream == this) return;
  waits_.push_back({.position = end_, .stream = recorded.stream, .event_position = recorded.position});
}

void CpuStream::begin_capture() {
  CARAVEL_CHECK(!captured_);
  captured_ = std::make_unique<std::vector<CpuCommand>>();
}

std::unique_ptr<CommandList> CpuStream::end_capture() {
  CARAVEL_CHECK(captured_ != nullptr);
  auto list = std::make_unique<CpuCommandList>();
  list->commands = std::move(*captured_);
  captured_.reset();
  return list;
}

void CpuStream::run(const CommandList& list) {
  CARAVEL_CHECK(!captured_);
  for (const CpuCommand& command : static_cast<const CpuCommandList&>(list).commands) {
    CpuCommand& added = add();
    added = command;
    added.region = current_region();
  }
}

CpuCommand& CpuStream::add() {
  if (begin_ == end_) origin_ = end_;
  if (end_ - begin_ == commands_.size()) {
    std::vector<CpuCommand> larger(std::max<size_t>(64, 2 * commands_.size()));
    for (uint64_t p = begin_; p < end_; ++p) larger[p - begin_] = commands_[(p - origin_) & (commands_.size() - 1)];
    commands_ = std::move(larger);
    origin_ = begin_;
  }
  return commands_[(end_++ - origin_) & (commands_.size() - 1)];
}

void CpuStream::run_until(uint64_t position) {
  while (!waits_.empty() && waits_.front().position < position) {
    const Wait wait = waits_.front();
    waits_.erase(waits_.begin());
    run_commands(wait.position);
    wait.stream->run_until(wait.event_position);
  }
  run_commands(position);
}

void CpuStream::run_commands(uint64_t end) {
  if (end <= begin_) return;
  struct Part {
    CpuStream& stream;
    uint64_t end;
  } part{*this, end};
  device_.run(
      [](void* context, int rank) {
        auto& [self, last] = *static_cast<Part*>(context);
        ThreadPool& pool = self.device_.pool();
        const bool timed = rank == 0 && self.profiling() == Profile::kRegions;
        Clock::time_point begin = timed ? Clock::now() : Clock::time_point();
        for (uint64_t p = self.begin_; p < last; ++p) {
          const CpuCommand& command = self.commands_[(p - self.origin_) & (self.commands_.size() - 1)];
          command.call(command, rank, pool.size());
          if (command.meet && p + 1 < last) pool.barrier();  // behind the last one they join
          if (timed) {
            const Clock::time_point now = Clock::now();
            self.add_time(command.region, std::chrono::duration<double>(now - begin).count());
            begin = now;
          }
        }
      },
      &part);
  begin_ = end;
}

}  // namespace caravel
