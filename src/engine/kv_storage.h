#pragma once

#include <cstdint>
#include <span>

#include "base/block_copy.h"
#include "device/device.h"
#include "model/config.h"
#include "model/forward_batch.h"

namespace caravel::engine {

/// A list in the device's memory.
struct StagedCopies {
  const BlockCopy* list = nullptr;
  int64_t count = 0;
};

/// The memory behind the block ids: the pool on the device, and the host's for what is swapped out.
class KvStorage {
 public:
  /// Throws CapacityError.
  KvStorage(Device& device, const model::KvLayout& layout, int block_size, kernels::KvDtype dtype, int blocks,
            int host_blocks);

  model::KvPool pool() const { return pool_; }

  // They enqueue the copies; swaps by the device's copy engines, where it has such, which take no processor from steps.
  void swap_out(Stream& stream, std::span<const BlockCopy> copies);
  void swap_in(Stream& stream, std::span<const BlockCopy> copies);
  /// The list must stay until they are done.
  void copy(Stream& stream, const StagedCopies& copies);

 private:
  void swap(Stream& stream, const std::byte* from, std::byte* to, std::span<const BlockCopy> copies) const;

  int64_t block_bytes_;
  Buffer device_blocks_;
  HostBuffer host_blocks_;
  model::KvPool pool_;
};

}  // namespace caravel::engine
