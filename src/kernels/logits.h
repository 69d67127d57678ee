#pragma once

#include <cstdint>

#include "device/device.h"
#include "device/tensor.h"

namespace caravel::kernels {

struct ScaleLogitsArgs {
  Tensor logits;  // f32 [rows, width] without gaps, in place
  float scale = 1.0F;
};
/// logits = scale * logits (Granite).
void scale_logits(Stream& stream, const ScaleLogitsArgs& args);

struct SoftCapArgs {
  Tensor logits;  // f32 [rows, width] without gaps, in place
  float cap = 0.0F;
};
/// logits = cap * tanh(logits / cap) (Gemma 2).
void soft_cap(Stream& stream, const SoftCapArgs& args);

struct LogSumExpArgs {
  Tensor logits;                 // f32 [rows, width]
  float* log_sum_exp = nullptr;  // out: [rows]
  int32_t* argmax = nullptr;     // out: [rows], the lowest index among equals; may be nullptr
};
/// log(sum(exp(logits))) by row, as max + log(sum(exp(x - max))), summed in fixed lanes: one arithmetic.
void log_sum_exp(Stream& stream, const LogSumExpArgs& args);

struct TopKArgs {
  Tensor logits;               // f32 [rows, width]
  int k = 0;                   // 1 .. width
  float* values = nullptr;     // out: [rows, k], largest first; equals by lower index
  int32_t* indices = nullptr;  // out: [rows, k]
};
/// The k largest of each row without sorting it.
void top_k(Stream& stream, const TopKArgs& args);

struct RankArgs {
  Tensor logits;                    // f32 [rows, width]
  const int32_t* tokens = nullptr;  // [rows]
  int32_t* ranks = nullptr;         // out: [rows], 1 for the most likely (tokens with a larger logit, plus 1)
};
/// Where a given token stands among its row's logits.
void token_rank(Stream& stream, const RankArgs& args);

}  // namespace caravel::kernels
