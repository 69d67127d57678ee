#pragma once

#include <cstdint>

#include "kernels/activation.h"
#include "kernels/gemm_input.h"
#include "kernels/packed_weight.h"
#include "kernels/rms_norm.h"

namespace caravel::kernels {

/// What a device's kernels hand on to one another between GEMMs: queries, keys and values, and a branch before its
/// norm. f32 is promised for the residual stream, for logits and for InputForm::kF32 alone. A CPU's is f32.
DType product_dtype(Device& device);

struct GemmArgs {
  const PackedWeight* weight = nullptr;
  GemmInput input;              // [tokens, in], in the weight's input_form()
  const float* bias = nullptr;  // [out] or nullptr
  bool accumulate = false;      // out += instead of out =
  Tensor out;                   // [tokens, out]: f32, or product_dtype()
  NextNorm next;                // of `out`, which is f32 then
};

/// out[t, o] = sum_i input[t, i] * W[o, i] (+ bias[o]) (+ out[t, o]). Each output is summed in the same order and with
/// the same operations whatever the number of tokens, the position of the token in the batch and the number of threads
/// ("one arithmetic").
void gemm(Stream& stream, const GemmArgs& args);

struct GatedGemmArgs {
  const PackedWeight* weight = nullptr;  // [2 * width, in]: two parts of `width` rows, gate and up
  GemmInput input;                       // [tokens, in], in the weight's input_form()
  const float* bias = nullptr;           // [2 * width], gate's then up's, or nullptr
  Activation activation = Activation::kSilu;
  GemmInput out;  // [tokens, width]
};

/// out[t, i] = f(gate[t, i]) * up[t, i], where gate and up are what gemm() of the weight and bias would give, to the
/// bit; they are never written out (the fusion of DeepSpeed-Inference's feed-forward region, SC'22, section III).
void gated_gemm(Stream& stream, const GatedGemmArgs& args);

struct ActivatedGemmArgs {
  const PackedWeight* weight = nullptr;  // [width, in], one part
  GemmInput input;                       // [tokens, in], in the weight's input_form()
  const float* bias = nullptr;           // [width], or nullptr
  Activation activation = Activation::kGelu;
  GemmInput out;  // [tokens, width]
};

/// out[t, i] = f(what gemm() of the weight and bias would give, to the bit), which is never written out: the first half
/// of a feed-forward region without a gate.
void activated_gemm(Stream& stream, const ActivatedGemmArgs& args);

}  // namespace caravel::kernels
