#pragma once

#include <cstdint>

#include "device/tensor.h"
#include "kernels/activation.h"
#include "kernels/cuda/normed_rows.h"
#include "kernels/packed_weight.h"
#include "kernels/rms_norm.h"

namespace caravel::kernels::cuda {

/// What becomes of the sums of a weight's rows.
enum class GemmUse : uint8_t { kPlain, kGated, kActivated };

/// The three ops of kernels/gemm.h as one.
struct GemmTask {
  const PackedWeight* weight = nullptr;
  GemmInput input;                        // rows of its form
  const SquareSum* input_sums = nullptr;  // of normed ones: what sums are to be divided by
  const float* bias = nullptr;
  GemmUse use = GemmUse::kPlain;
  Activation activation = Activation::kSilu;
  bool accumulate = false;
  Tensor out;     // f32 or BF16 [tokens, outputs]
  NextNorm next;  // tile_gemm() alone takes it, and where joins_norm()
};

/// Whether a norm of the output may be taken into a kernel that stores by four rows and adds to f32 rows.
bool joins_norm(const GemmTask& task);

/// By tensor cores, on BF16 inputs: each sum over the inputs in order, sixteen at a time, whatever tile and number of
/// tokens it belongs to.
void tile_gemm(Stream& stream, const GemmTask& task);

/// The same, to the bit, without what sm_90 alone has: for every other GPU from sm_80 on.
void warp_gemm(Stream& stream, const GemmTask& task);

/// Whether tile_gemm() and warp_gemm() take the weight; else it is plain_gemm()'s: where a part is F32, or where rows of BF16 inputs
/// do not begin at multiples of 16 bytes.
bool takes_tile_gemm(const PackedWeight& weight);

/// By fused multiply-adds, exact products of f32: a warp makes a row's sums, in which each lane takes every 32nd input.
void plain_gemm(Stream& stream, const GemmTask& task);

}  // namespace caravel::kernels::cuda
