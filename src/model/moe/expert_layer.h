#pragma once

#include <cstddef>
#include <cstdint>

#include "device/device.h"
#include "device/dtype.h"
#include "kernels/expert_table.h"
#include "kernels/gemm_input.h"
#include "kernels/rms_norm.h"
#include "model/activations.h"
#include "model/config.h"
#include "model/load_weights.h"

namespace caravel::model {

/// Regions 4 and 5 of a layer that has a router (Aminabadi et al. 2022, SC'22, section V), for every model that has
/// any: the table of tokens and experts, their rows spread, two grouped GEMMs, rows joined. Owns what lies between.
class ExpertLayer {
 public:
  /// Of a model some of whose layers have a router, for at most max_tokens a step.
  ExpertLayer(Device& device, const ModelConfig& config, const ModelWeights& weights, int64_t max_tokens);

  size_t activation_bytes() const { return memory_.bytes(); }
  /// The same of weights that are not loaded yet. 0 where no layer has a router.
  static size_t activation_bytes(Device& device, const ModelConfig& config, const WeightLayout& weights,
                                 int64_t max_tokens);

  /// 4: the residual stream [tokens, hidden], normed by ffn_norm -> the rows between the experts' matrices.
  void gate_and_up(Stream& stream, const LayerWeights& weights, const Tensor& residual);
  /// 5: those rows -> `out`, f32 or product_dtype(); accumulate: out += instead of out =. next: of `out`, f32 then.
  void down(Stream& stream, const LayerWeights& weights, const Tensor& out, bool accumulate,
            const kernels::NextNorm& next);

 private:
  enum Place : uint8_t {
    // By token.
    kWorkspace,      // of route()
    kLogits,         // f32 [max_tokens, rows of the router]
    kTable,          // an ExpertTable
    kSharedInput,    // what gate_up reads, in its form
    kSharedBetween,  // what its `down` reads
    kShared,         // [max_tokens, hidden] of product_dtype_: what that gives
    // By token and expert.
    kRows,     // what expert_gate_up reads, in its form; then what expert_down gives, of product_dtype_
    kBetween,  // what expert_down reads, in its form
    kCount
  };

  /// Of weights that are packed or will be.
  template <typename Matrix, typename Vector>
  static ActivationSizes<Place> sizes(Device& device, const ModelConfig& config,
                                      const WeightsOf<Matrix, Vector>& weights, int64_t max_tokens);
  kernels::ExpertTable table(int64_t tokens) const;
  Tensor logits(const LayerWeights& weights, int64_t tokens) const;

  ExpertsSpec spec_;
  kernels::Activation activation_;
  float norm_epsilon_;
  DType product_dtype_;
  Activations<Place> memory_;
};

}  // namespace caravel::model
