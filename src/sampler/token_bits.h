#pragma once

#include <cstddef>
#include <cstdint>

#include "base/host_device.h"

namespace caravel::sampler {

/// Words of 32 bits that have one for each token.
constexpr size_t words_of(size_t vocab_size) { return (vocab_size + 31) / 32; }

CARAVEL_HOST_DEVICE inline bool allows(const uint32_t* mask, int32_t token) {
  return (mask[static_cast<size_t>(token) / 32] >> (token % 32) & 1U) != 0;
}

}  // namespace caravel::sampler
