#pragma once

#include <cstdint>

#include "kernels/gemm_input.h"

namespace caravel::kernels {

/// How a GemmInput lies in a CPU's memory: f32 rows, or planes one after the other, each from a cache line's beginning
/// on. Functions here are static because the per-ISA sources include them.
struct InputPlanes {
  InputForm form = InputForm::kF32;
  int64_t width = 0;          // elements of a row
  float* f32 = nullptr;       // kF32: [tokens, width]
  int8_t* q8 = nullptr;       // 8 bits: [tokens, width]
  float* scales = nullptr;    // 8 bits: [tokens, width / 32]
  float* sums = nullptr;      // 8 bits: [tokens, width / 32] scale * sum of the block's q8, for weights with minima
  int16_t* totals = nullptr;  // 8 bits: [tokens, width / 16] sum of 16 q8, for weights with an offset
};

/// Tokens up to which each rank makes a normed input for itself alone, some microseconds' work, which takes less time
/// than waiting for one another. Their copies lie one after the other.
constexpr int64_t kOwnCopyTokens = 8;

static inline bool is_each_ranks_own(const GemmInput& input) { return input.normed && input.tokens <= kOwnCopyTokens; }

static inline int64_t whole_lines(int64_t bytes) { return (bytes + 63) / 64 * 64; }

static inline int64_t input_bytes(InputForm form, int64_t tokens, int64_t width) {
  if (form == InputForm::kF32) return whole_lines(tokens * width * 4);
  return whole_lines(tokens * width) + 3 * whole_lines(tokens * (width / 32) * 4);
}

/// The copy that belongs to `rank`, or the one that all share.
static inline InputPlanes input_planes(const GemmInput& input, int rank) {
  InputPlanes planes;
  planes.form = input.form;
  planes.width = input.width;
  char* at = reinterpret_cast<char*>(input.data);
  if (is_each_ranks_own(input)) at += rank * input_bytes(input.form, input.tokens, input.width);
  if (input.form == InputForm::kF32) {
    planes.f32 = reinterpret_cast<float*>(at);
    return planes;
  }
  const int64_t per_block = whole_lines(input.tokens * (input.width / 32) * 4);
  char* const rest = at + whole_lines(input.tokens * input.width);
  planes.q8 = reinterpret_cast<int8_t*>(at);
  planes.scales = reinterpret_cast<float*>(rest);
  planes.sums = reinterpret_cast<float*>(rest + per_block);
  planes.totals = reinterpret_cast<int16_t*>(rest + 2 * per_block);
  return planes;
}

}  // namespace caravel::kernels
