#pragma once

#include <cstdint>

#include "kernels/expert_table.h"
#include "kernels/gemm_input.h"
#include "kernels/rms_norm.h"

namespace caravel::kernels {

struct SpreadRowsArgs {
  Tensor x;  // f32 [tokens, width]
  ExpertTable table;
  GemmInput out;  // [table.row_count(), width]
};

/// out[r] = x[row_token[r]], in the form that the experts' first GEMM reads: rows in the order of experts (the layout
/// transform of DeepSpeed-Inference, SC'22, section V). A token's row takes that form once and is copied to its places.
void spread_rows(Stream& stream, const SpreadRowsArgs& args);

struct JoinRowsArgs {
  Tensor rows;  // [table.row_count(), width], in product_dtype() (gemm.h)
  ExpertTable table;
  Tensor shared;            // [tokens, width], in product_dtype(): what experts gave that every token has; or none
  Tensor shared_gate;       // f32 [tokens, 1]: logits; shared[t] counts sigmoid of it; or none: it counts whole
  bool accumulate = false;  // out += instead of out =
  Tensor out;               // [tokens, width]: f32, or product_dtype()
  NextNorm next;            // of `out`, which is f32 then
};

/// out[t] = gate[t] * shared[t] + sum over a token's experts, ascending, of weights[t, k] * rows[rows[t, k]]
/// (+ out[t]): one order for a token, whoever else chose its experts.
void join_rows(Stream& stream, const JoinRowsArgs& args);

}  // namespace caravel::kernels
