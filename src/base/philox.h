#pragma once

#include <array>
#include <cstdint>

#include "base/host_device.h"

namespace caravel {

namespace internal {

/// All ten rounds of Philox, in place.
CARAVEL_HOST_DEVICE inline void philox_rounds(uint32_t (&counter)[4], uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57} * counter[2];
    counter[0] = static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key0;
    counter[1] = static_cast<uint32_t>(product1);
    counter[2] = static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key1;
    counter[3] = static_cast<uint32_t>(product0);
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
}

}  // namespace internal

/// Philox 4x32 with 10 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11): 128 random bits
/// that are a function of counter and key alone.
inline std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  uint32_t words[4] = {counter[0], counter[1], counter[2], counter[3]};
  internal::philox_rounds(words, key[0], key[1]);
  return {words[0], words[1], words[2], words[3]};
}

/// Uniform in [0, 1), 53 bits: of one place (`position`) in one sequence (`sequence`) of a `seed`. So a seeded answer
/// does not depend on what else is in the batch, nor on preemption, and a seeded choice not on threads.
CARAVEL_HOST_DEVICE inline double uniform(uint64_t seed, uint32_t sequence, uint64_t position) {
  uint32_t words[4] = {static_cast<uint32_t>(position), static_cast<uint32_t>(position >> 32), sequence, 0};
  internal::philox_rounds(words, static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
  return static_cast<double>((uint64_t{words[0]} << 32 | words[1]) >> 11) * 0x1p-53;
}

}  // namespace caravel
