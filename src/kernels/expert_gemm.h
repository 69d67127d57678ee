#pragma once

#include "kernels/activation.h"
#include "kernels/expert_table.h"
#include "kernels/gemm_input.h"
#include "kernels/packed_weight.h"

namespace caravel::kernels {

// Grouped GEMMs: the rows of each expert by the expert's matrix. A row's outputs are what gemm() and gated_gemm() of
// that row alone by that matrix give, to the bit, so they depend on no other row ("one arithmetic"). How many rows an
// expert has is read from the table when the command runs; the matrix of one without rows is not read.

struct GatedExpertGemmArgs {
  const PackedWeight* weight = nullptr;  // experts() of [2 * width, in]: gate and up
  GemmInput input;                       // [table.row_count(), in], in the weight's input_form()
  ExpertTable table;
  const float* bias = nullptr;  // [experts, 2 * width], gate's then up's; or nullptr
  Activation activation = Activation::kSilu;
  GemmInput out;  // [table.row_count(), width]
};
void gated_expert_gemm(Stream& stream, const GatedExpertGemmArgs& args);

struct ExpertGemmArgs {
  const PackedWeight* weight = nullptr;  // experts() of [out, in]
  GemmInput input;                       // [table.row_count(), in], in the weight's input_form()
  ExpertTable table;
  // gated_expert_gemm() of the same table came before, or routed_gated_gemm(). It lets no command behind it begin
  // before all are done that came before it: so the table is there as soon as this begins, and weights may be asked for
  // at once.
  bool table_is_settled = false;
  const float* bias = nullptr;  // [experts, out], or nullptr
  Tensor out;                   // [table.row_count(), out], in product_dtype() (gemm.h)
};
void expert_gemm(Stream& stream, const ExpertGemmArgs& args);

}  // namespace caravel::kernels
