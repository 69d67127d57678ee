#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "base/thread_pool.h"
#include "device/chunks.h"
#include "device/cpu/isa.h"
#include "device/device.h"

namespace caravel {

/// The machine's processors and memory: the device's is the host's.
class CpuDevice : public Device {
 public:
  /// threads: ranks of the pool, 0 for usable_processors(). Throws InvalidArgument.
  explicit CpuDevice(int threads = 0, Isa isa = available_isas().back());

  DeviceKind kind() const override { return DeviceKind::kCpu; }
  std::string name() const override;
  Buffer allocate(size_t bytes) override { return Buffer(this, take_memory(bytes), bytes); }
  HostBuffer allocate_host(size_t bytes) override { return HostBuffer(this, take_memory(bytes), bytes); }
  void release(void* data, size_t bytes) override { give_back_memory(data, bytes); }
  void release_host(void* data, size_t bytes) override { give_back_memory(data, bytes); }
  bool unified() const override { return true; }
  size_t memory_available() const override;
  std::unique_ptr<Stream> make_stream() override;
  std::unique_ptr<Event> make_event() override;
  void adopt_thread() override { pool_.pin_caller(); }

  Isa isa() const { return isa_; }
  ThreadPool& pool() { return pool_; }
  /// Runs a part of a stream's commands on all ranks.
  virtual void run(ThreadPool::Job job, void* context) { pool_.run(job, context); }

 private:
  std::byte* take_memory(size_t bytes);
  void give_back_memory(void* data, size_t bytes);

  Isa isa_;
  ThreadPool pool_;
  Chunks chunks_;  // so that small buffers share huge pages
};

/// A kernel and its arguments.
struct CpuCommand {
  void (*call)(const CpuCommand& self, int rank, int size);
  void (*kernel)();
  size_t region;
  bool meet;
  alignas(16) unsigned char args[368];
};

/// A list of commands, which run when they are waited for: in one fork and join of the pool, every rank walks the list,
/// takes its share of each command, and meets the others at a barrier before the next, but for commands that need none.
/// So a whole step costs one fork, and a kernel on a CPU is launched as one on a GPU is. Enqueueing allocates nothing
/// once the list has grown to a step's size.
class CpuStream : public Stream {
 public:
  explicit CpuStream(CpuDevice& device) : device_(device) {}

  CpuDevice& device() const override { return device_; }
  void synchronize() override { run_until(end_); }
  void copy(void* to, const void* from, size_t bytes) override;
  void record(Event& event) override;
  void wait(const Event& event) override;
  void begin_capture() override;
  std::unique_ptr<CommandList> end_capture() override;
  void run(const CommandList& list) override;

  /// Runs the commands before the `position`-th of all that were ever enqueued, as far as they have not run.
  void run_until(uint64_t position);

  /// kernel(args, rank, size) is called once on each of `size` ranks. Args are copied into the command. meet: whether
  /// the ranks wait for one another afterwards; not where each reads its own output alone.
  template <typename Args>
  using Kernel = void (*)(const Args& args, int rank, int size);

  template <typename Args>
  void enqueue(Kernel<Args> kernel, const Args& args, bool meet = true) {
    static_assert(std::is_trivially_copyable_v<Args> && sizeof(Args) <= sizeof(CpuCommand::args));
    CpuCommand& command = captured_ ? captured_->emplace_back() : add();
    command.region = current_region();
    command.meet = meet;
    std::memcpy(command.args, &args, sizeof(Args));
    command.kernel = reinterpret_cast<void (*)()>(kernel);
    command.call = [](const CpuCommand& self, int rank, int size) {
      reinterpret_cast<Kernel<Args>>(self.kernel)(*reinterpret_cast<const Args*>(self.args), rank, size);
    };
  }

 private:
  /// What comes from `position` on runs after `event_position` of another stream.
  struct Wait {
    uint64_t position;
    CpuStream* stream;
    uint64_t event_position;
  };

  CpuCommand& add();
  void run_commands(uint64_t end);

  CpuDevice& device_;
  // Positions begin_ .. end_ wait to be run. Position p lies at (p - origin_) & (commands_.size() - 1).
  uint64_t begin_ = 0;
  uint64_t end_ = 0;
  uint64_t origin_ = 0;
  std::vector<CpuCommand> commands_;
  std::vector<Wait> waits_;  // in order
  std::unique_ptr<std::vector<CpuCommand>> captured_;
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
