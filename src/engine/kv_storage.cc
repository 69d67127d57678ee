#include "engine/kv_storage.h"

#include "kernels/kv_cache.h"

namespace caravel::engine {

KvStorage::KvStorage(Device& device, const model::KvLayout& layout, int block_size, kernels::KvDtype dtype, int blocks,
                     int host_blocks)
    : block_bytes_(layout.block_bytes()),
      device_blocks_(device.allocate(static_cast<size_t>(blocks * block_bytes_))),
      host_blocks_(device.allocate_host(static_cast<size_t>(host_blocks * block_bytes_))),
      pool_{.base = device_blocks_.address(), .block_size = block_size, .dtype = dtype} {}

void KvStorage::swap_out(Stream& stream, std::span<const BlockCopy> copies) {
  swap(stream, device_blocks_.address(), host_blocks_.as(), copies);
}

void KvStorage::swap_in(Stream& stream, std::span<const BlockCopy> copies) {
  swap(stream, host_blocks_.as(), device_blocks_.address(), copies);
}

/// Blocks that lie together on both sides by one copy.
void KvStorage::swap(Stream& stream, const std::byte* from, std::byte* to, std::span<const BlockCopy> copies) const {
  while (!copies.empty()) {
    const BlockCopy first = copies.front();
    int32_t count = 1;
    while (static_cast<size_t>(count) < copies.size() &&
           copies[static_cast<size_t>(count)] == BlockCopy{first.from + count, first.to + count}) {
      ++count;
    }
    stream.copy(to + first.to * block_bytes_, from + first.from * block_bytes_,
                static_cast<size_t>(count * block_bytes_));
    copies = copies.subspan(static_cast<size_t>(count));
  }
}

void KvStorage::copy(Stream& stream, const StagedCopies& copies) {
  if (copies.count == 0) return;
  kernels::copy_blocks(stream, {.src = device_blocks_.address(),
                                .dst = device_blocks_.address(),
                                .copies = copies.list,
                                .count = copies.count,
                                .bytes = block_bytes_});
}

}  // namespace caravel::engine
