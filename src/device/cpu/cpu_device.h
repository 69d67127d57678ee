#pragma once

#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "base/thread_pool.h"
#include "device/cpu/isa.h"
#include "device/device.h"

namespace caravel {

/// The machine's processors and memory.
class CpuDevice final : public Device {
 public:
  /// threads: ranks of the pool, 0 for usable_processors(). Throws InvalidArgument.
  explicit CpuDevice(int threads = 0, Isa isa = available_isas().back());

  DeviceKind kind() const override { return DeviceKind::kCpu; }
  std::string name() const override;
  Buffer allocate(size_t bytes) override;
  void release(void* data, size_t bytes) override;
  size_t memory_available() const override;
  std::unique_ptr<Stream> make_stream() override;
  void adopt_thread() override { pool_.pin_caller(); }

  Isa isa() const { return isa_; }
  ThreadPool& pool() { return pool_; }

 private:
  /// A mapping that buffers of less than half its size lie in one after the other, so that they share huge pages.
  struct Chunk {
    std::byte* base = nullptr;
    size_t used = 0;
    int buffers = 0;  // how many are not released
  };

  Isa isa_;
  ThreadPool pool_;
  std::mutex mutex_;           // guards what follows
  std::vector<Chunk> chunks_;  // the last one is filled
};

/// A list of commands. synchronize() runs them all in one fork and join of the pool: every rank walks the list, takes
/// its share of each command, and meets the others at a barrier before the next, but for commands that need none. So a
/// whole step costs one fork, and a kernel on a CPU is launched as one on a GPU is. Enqueueing allocates nothing once
/// the list has grown to a step's size.
class CpuStream final : public Stream {
 public:
  explicit CpuStream(CpuDevice& device) : device_(device) {}

  CpuDevice& device() const override { return device_; }
  void synchronize() override;

  /// kernel(args, rank, size) is called once on each of `size` ranks. Args are copied into the command. meet: whether
  /// the ranks wait for one another afterwards; not where each reads its own output alone.
  template <typename Args>
  using Kernel = void (*)(const Args& args, int rank, int size);

  template <typename Args>
  void enqueue(Kernel<Args> kernel, const Args& args, bool meet = true) {
    static_assert(std::is_trivially_copyable_v<Args> && sizeof(Args) <= sizeof(Command::args));
    Command& command = commands_.emplace_back();
    command.region = current_region();
    command.meet = meet;
    std::memcpy(command.args, &args, sizeof(Args));
    command.kernel = reinterpret_cast<void (*)()>(kernel);
    command.call = [](const Command& self, int rank, int size) {
      reinterpret_cast<Kernel<Args>>(self.kernel)(*reinterpret_cast<const Args*>(self.args), rank, size);
    };
  }

 private:
  struct Command {
    void (*call)(const Command& self, int rank, int size);
    void (*kernel)();
    size_t region;
    bool meet;
    alignas(16) unsigned char args[368];
  };

  CpuDevice& device_;
  std::vector<Command> commands_;
};

inline CpuDevice& as_cpu(Device& device) {
  CARAVEL_CHECK(device.kind() == DeviceKind::kCpu);
  return static_cast<CpuDevice&>(device);
}

inline CpuStream& as_cpu(Stream& stream) {
  CARAVEL_CHECK(stream.device().kind() == DeviceKind::kCpu);
  return static_cast<CpuStream&>(stream);
}

}  // namespace caravel
