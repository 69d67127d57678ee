#pragma once

#include <cstdint>
#include <span>

#include "base/block_copy.h"
#include "device/device.h"
#include "model/config.h"
#include "model/forward_batch.h"

namespace caravel::engine {

/// The memory behind the block ids: the pool on the device, and the host's for what is swapped out.
class KvStorage {
 public:
  /// Throws CapacityError.
  KvStorage(Device& device, const model::KvLayout& layout, int block_size, kernels::KvDtype dtype, int blocks,
            int host_blocks);

  model::KvPool pool() const { return pool_; }

  /// Enqueue the copies; the lists must stay until the stream is synchronised.
  void swap_out(Stream& stream, std::span<const BlockCopy> copies);
  void swap_in(Stream& stream, std::span<const BlockCopy> copies);
  void copy(Stream& stream, std::span<const BlockCopy> copies);

 private:
  int64_t block_bytes_;
  Buffer device_blocks_;
  Buffer host_blocks_;
  model::KvPool pool_;
};

}  // namespace caravel::engine
