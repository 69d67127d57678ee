#include "engine/kv_storage.h"

#include "kernels/kv_cache.h"

namespace caravel::engine {
namespace {

void enqueue(Stream& stream, const std::byte* from, std::byte* to, const StagedCopies& copies, int64_t bytes) {
  if (copies.count == 0) return;
  kernels::copy_blocks(stream, {.src = from, .dst = to, .copies = copies.list, .count = copies.count, .bytes = bytes});
}

}  // namespace

KvStorage::KvStorage(Device& device, const model::KvLayout& layout, int block_size, kernels::KvDtype dtype, int blocks,
                     int host_blocks)
    : block_bytes_(layout.block_bytes()),
      device_blocks_(device.allocate(static_cast<size_t>(blocks * block_bytes_))),
      host_blocks_(device.allocate_host(static_cast<size_t>(host_blocks * block_bytes_))),
      pool_{.base = device_blocks_.address(), .block_size = block_size, .dtype = dtype} {}

void KvStorage::swap_out(Stream& stream, const StagedCopies& copies) {
  enqueue(stream, device_blocks_.address(), host_blocks_.as(), copies, block_bytes_);
}

void KvStorage::swap_in(Stream& stream, const StagedCopies& copies) {
  enqueue(stream, host_blocks_.as(), device_blocks_.address(), copies, block_bytes_);
}

void KvStorage::copy(Stream& stream, const StagedCopies& copies) {
  enqueue(stream, device_blocks_.address(), device_blocks_.address(), copies, block_bytes_);
}

}  // namespace caravel::engine
