#pragma once

#include <cstdint>

#include "kernels/gemm.h"

namespace caravel::kernels {

/// What the per-ISA sources get: plain pointers and numbers, since they may call no inline function of another header.
struct QuantizeInputArgs {
  const float* x;  // [tokens, out.width]
  int64_t tokens;
  GemmInput out;
};

struct PackedPart {
  const uint8_t* panels;  // they hold `rows`, the last one padded
  DType dtype;
  int64_t out_begin;
  int64_t rows;
};

struct GemmCpuArgs {
  PackedPart parts[PackedWeight::kMaxParts];
  int part_count;
  int64_t in;
  GemmInput input;
  int64_t tokens;
  float* out;
  int64_t out_stride;
  const float* bias;
  bool accumulate;
};

struct EmbeddingCpuArgs {
  PackedPart table;
  int64_t width;
  const int32_t* ids;
  int64_t tokens;
  float scale;
  float* out;
};

}  // namespace caravel::kernels
