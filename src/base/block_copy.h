#pragma once

#include <cstdint>

namespace caravel {

/// One whole KV block copied: within the pool (copy-on-write) or between the pool and host memory (swap). `cache` and
/// `scheduler` plan them, `kernels` carry them out.
struct BlockCopy {
  int32_t from = 0;
  int32_t to = 0;
  bool operator==(const BlockCopy&) const = default;
};

}  // namespace caravel
