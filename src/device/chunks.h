#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <vector>

#include "base/check.h"

namespace caravel {

/// Large allocations that small buffers lie in one after the other: where one of its own is dear, or takes whole pages.
/// Any thread may call it.
class Chunks {
 public:
  enum class WhenEmpty : uint8_t { kFree, kReuse };  // kReuse: the one that is filled begins anew

  Chunks(size_t chunk_bytes, size_t alignment, WhenEmpty when_empty)
      : chunk_bytes_(chunk_bytes), alignment_(alignment), when_empty_(when_empty) {}

  /// Buffers of that size lie in chunks.
  bool holds(size_t bytes) const { return bytes < chunk_bytes_ / 2; }

  /// allocate(bytes): a chunk.
  template <typename Allocate>
  std::byte* take(size_t bytes, const Allocate& allocate) {
    const std::lock_guard lock(mutex_);
    if (chunks_.empty() || chunks_.back().used + bytes > chunk_bytes_) {
      chunks_.push_back({.base = allocate(chunk_bytes_)});
    }
    Chunk& chunk = chunks_.back();
    std::byte* const data = chunk.base + chunk.used;
    chunk.used += (bytes + alignment_ - 1) / alignment_ * alignment_;
    ++chunk.buffers;
    return data;
  }

  /// free(chunk, bytes): takes one back that holds nothing any more.
  template <typename Free>
  void give_back(void* data, const Free& free) {
    const std::lock_guard lock(mutex_);
    const auto chunk = std::ranges::find_if(chunks_, [&, at = static_cast<std::byte*>(data)](const Chunk& c) {
      return at >= c.base && at < c.base + chunk_bytes_;
    });
    CARAVEL_CHECK(chunk != chunks_.end());
    if (--chunk->buffers > 0) return;
    if (when_empty_ == WhenEmpty::kReuse && chunk + 1 == chunks_.end()) {
      chunk->used = 0;
      return;
    }
    free(chunk->base, chunk_bytes_);
    chunks_.erase(chunk);
  }

  /// Of all that are left.
  template <typename Free>
  void clear(const Free& free) {
    const std::lock_guard lock(mutex_);
    for (const Chunk& chunk : chunks_) free(chunk.base, chunk_bytes_);
    chunks_.clear();
  }

 private:
  struct Chunk {
    std::byte* base = nullptr;
    size_t used = 0;
    int buffers = 0;  // how many are not released
  };

  const size_t chunk_bytes_;
  const size_t alignment_;
  const WhenEmpty when_empty_;
  std::mutex mutex_;           // guards what follows
  std::vector<Chunk> chunks_;  // the last one is filled
};

}  // namespace caravel
