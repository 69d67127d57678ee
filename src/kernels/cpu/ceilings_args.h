#pragma once

#include <cstdint>

namespace caravel::kernels {

/// Each rank reads its share of `data` once and leaves something of it in sink[16 rank].
struct ReadCeilingArgs {
  const float* data;
  int64_t count;  // a multiple of 1024
  float* sink;
};

/// Each rank runs `rounds` rounds of a tile's multiply-adds over 4 KiB of `operands`, positive as i8 and as f32.
struct MultiplyCeilingArgs {
  const uint8_t* operands;
  int64_t rounds;
  float* sink;
  int64_t* macs;  // multiply-adds that a rank has done
};

}  // namespace caravel::kernels
