#pragma once

#include <cstddef>
#include <cstdint>

#include "device/device.h"
#include "device/dtype.h"
#include "kernels/expert_table.h"
#include "kernels/gemm_input.h"
#include "kernels/rms_norm.h"
#include "model/config.h"
#include "model/load_weights.h"

namespace caravel::model {

/// Regions 4 and 5 of a layer that has a router (Aminabadi et al. 2022, SC'22, section V), for every model that has
/// any: the table of tokens and experts, their rows spread, two grouped GEMMs, rows joined. Owns what lies between.
class ExpertLayer {
 public:
  /// Of weights that are packed or will be, for at most max_tokens a step. All zero where no layer has a router.
  template <typename Matrix, typename Vector>
  static size_t activation_bytes(Device& device, const ModelConfig& config, const WeightsOf<Matrix, Vector>& weights,
                                 int64_t max_tokens);

  ExpertLayer(Device& device, const ModelConfig& config, const ModelWeights& weights, int64_t max_tokens);

  size_t activation_bytes() const;

  /// 4: the residual stream [tokens, hidden], normed by ffn_norm -> the rows between the experts' matrices.
  void gate_and_up(Stream& stream, const LayerWeights& weights, const Tensor& residual);
  /// 5: those rows -> `out`, f32 or product_dtype(); accumulate: out += instead of out =. next: of `out`, f32 then.
  void down(Stream& stream, const LayerWeights& weights, const Tensor& out, bool accumulate,
            const kernels::NextNorm& next);

 private:
  kernels::ExpertTable table(int64_t tokens) const;
  Tensor logits(const LayerWeights& weights, int64_t tokens) const;

  ExpertsSpec spec_;
  kernels::Activation activation_;
  float norm_epsilon_;
  DType product_dtype_;

  // By token.
  Buffer workspace_;  // of route()
  Buffer logits_;     // f32 [max_tokens, rows of the router]
  Buffer table_;
  Buffer shared_input_;    // what gate_up reads, in its form
  Buffer shared_between_;  // what its `down` reads
  Buffer shared_;          // [max_tokens, hidden] of product_dtype_: what that gives
  // By token and expert.
  Buffer rows_;     // what expert_gate_up reads, in its form; then what expert_down gives, of product_dtype_
  Buffer between_;  // what expert_down reads, in its form
};

}  // namespace caravel::model
