#pragma once

#include <cstddef>
#include <cstdint>

#include "device/device.h"
#include "device/dtype.h"
#include "device/tensor.h"
#include "kernels/gemm_input.h"
#include "kernels/kv_cache.h"
#include "model/activations.h"
#include "model/config.h"
#include "model/load_weights.h"

namespace caravel::model {

/// What stands around attention in a layer whose keys and values are compressed (LatentSpec): from the normed rows to
/// queries and the cached key, and from what attention gives to what attn_out reads. Owns what lies between.
class LatentLayer {
 public:
  /// Of a model whose keys are compressed, for at most max_tokens a step.
  LatentLayer(Device& device, const ModelConfig& config, const ModelWeights& weights, int64_t max_tokens);

  size_t activation_bytes() const { return memory_.bytes(); }
  /// The same of weights that are not loaded yet. 0 where no keys are compressed.
  static size_t activation_bytes(Device& device, const ModelConfig& config, const WeightLayout& weights,
                                 int64_t max_tokens);

  struct Args {
    const LayerWeights& weights;
    kernels::GemmInput input;  // [tokens, hidden], as qkv reads it
    const float* cos_sin;      // of rotary_angles()
    const int64_t* slots;      // [tokens]
    kernels::KvLayer cache;
  };
  /// 1: the input -> queries(), and a key in the cache.
  void project(Stream& stream, const Args& args);
  /// 2 reads queries [tokens, heads * head_dim], each already through the matrix of its head's keys, and writes
  /// attended(): what the weights make of latents, [tokens, heads * latent].
  Tensor queries(int64_t tokens) const;
  kernels::GemmInput attended(const LayerWeights& weights, int64_t tokens) const;
  /// 3 begins: attended() -> the heads' values, as attn_out reads them.
  void project_values(Stream& stream, const LayerWeights& weights, const kernels::GemmInput& out);

 private:
  enum Place : uint8_t {
    kDown,        // [max_tokens, rows of qkv] of product_dtype_
    kQueryInput,  // the normed latent of queries, as query_up reads it
    kQuery,       // [max_tokens, heads * (nope + rotary)] of product_dtype_, where there is a query_up
    kNope,        // of queries the elements that are not rotated, as keys_up reads them
    kQueries,     // [max_tokens, heads * head_dim] of product_dtype_; behind attention the heads' values
    kAttended,    // what values_up reads
    kCount
  };

  /// Of weights that are packed or will be.
  template <typename Matrix, typename Vector>
  static ActivationSizes<Place> sizes(Device& device, const ModelConfig& config,
                                      const WeightsOf<Matrix, Vector>& weights, int64_t max_tokens);
  Tensor products(Place place, int64_t tokens, int64_t width) const;

  LatentSpec spec_;
  kernels::RotaryStyle rotary_style_;
  int heads_;
  int head_dim_;
  DType product_dtype_;
  Activations<Place> memory_;
};

}  // namespace caravel::model
