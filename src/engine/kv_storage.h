#pragma once

#include <cstdint>

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

  // They enqueue the copies; the lists must stay until these are done.
  void swap_out(Stream& stream, const StagedCopies& copies);
  void swap_in(Stream& stream, const StagedCopies& copies);
  void copy(Stream& stream, const StagedCopies& copies);

 private:
  int64_t block_bytes_;
  Buffer device_blocks_;
  HostBuffer host_blocks_;
  model::KvPool pool_;
};

}  // namespace caravel::engine
