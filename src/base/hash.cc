#include "base/hash.h"

#include <xxhash.h>

namespace caravel {

Hash128 hash128(const void* data, size_t size, Hash128 parent) {
  // The parent's low half seeds; its high half is folded in, so that all 128 bits of the chain count.
  const XXH128_hash_t hash = XXH3_128bits_withSeed(data, size, parent.low);
  return {hash.low64 ^ (parent.high * 0x9E3779B97F4A7C15ULL), hash.high64 + parent.high};
}

}  // namespace caravel
