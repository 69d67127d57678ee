#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace caravel {

/// 128-bit hash (XXH3). Not cryptographic: code that acts on equal hashes compares the content too.
struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const Hash128&) const = default;
};

/// Hash of `size` bytes, chained to `parent` (the hash of what came before; zero at the start).
Hash128 hash128(const void* data, size_t size, Hash128 parent = {});

}  // namespace caravel

template <>
struct std::hash<caravel::Hash128> {
  size_t operator()(const caravel::Hash128& key) const noexcept { return key.low; }
};
