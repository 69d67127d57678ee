#include "model/latent/latent_layer.h"

#include <algorithm>

#include "kernels/gemm.h"
#include "kernels/head_gemm.h"
#include "kernels/latent_cache.h"
#include "kernels/rms_norm.h"
#include "model/gemm_region.h"

namespace caravel::model {

template <typename Matrix, typename Vector>
ActivationSizes<LatentLayer::Place> LatentLayer::sizes(Device& device, const ModelConfig& config,
                                                       const WeightsOf<Matrix, Vector>& weights, int64_t max_tokens) {
  ActivationSizes<Place> sizes;
  if (!config.latent) return sizes;
  const DType product = kernels::product_dtype(device);
  const auto products = [&](int64_t width) { return static_cast<size_t>(max_tokens * row_bytes(product, width)); };
  const int64_t heads = shard_of(config).heads.size();
  const auto input_of = [&](const Matrix& weight, int64_t width) {
    return kernels::gemm_input_bytes(device, weight.input_form(), max_tokens, width);
  };
  for (const LayerOf<Matrix, Vector>& layer : weights.layers) {
    sizes.raise(kDown, products(layer.qkv.out()));
    if (layer.query_up) {
      sizes.raise(kQueryInput, input_of(layer.query_up, layer.query_up.in()));
      sizes.raise(kQuery, products(layer.query_up.out()));
    }
    sizes.raise(kNope, input_of(layer.keys_up, heads * layer.keys_up.in()));
    sizes.raise(kQueries, products(heads * std::max(config.head_dim, config.latent.value_dim)));
    sizes.raise(kAttended, input_of(layer.values_up, heads * layer.values_up.in()));
  }
  return sizes;
}

size_t LatentLayer::activation_bytes(Device& device, const ModelConfig& config, const WeightLayout& weights,
                                     int64_t max_tokens) {
  return sizes(device, config, weights, max_tokens).total();
}

LatentLayer::LatentLayer(Device& device, const ModelConfig& config, const ModelWeights& weights, int64_t max_tokens)
    : spec_(config.latent),
      rotary_style_(config.rotary_style),
      heads_(static_cast<int>(shard_of(config).heads.size())),
      head_dim_(config.head_dim),
      product_dtype_(kernels::product_dtype(device)),
      memory_(device, sizes(device, config, weights, max_tokens)) {}

Tensor LatentLayer::products(Place place, int64_t tokens, int64_t width) const {
  return make_tensor(memory_[place].address(), product_dtype_, tokens, width);
}

Tensor LatentLayer::queries(int64_t tokens) const { return products(kQueries, tokens, int64_t{heads_} * head_dim_); }

kernels::GemmInput LatentLayer::attended(const LayerWeights& weights, int64_t tokens) const {
  return {.form = weights.values_up.input_form(),
          .tokens = tokens,
          .width = int64_t{heads_} * spec_.latent_dim,
          .data = memory_[kAttended].address()};
}

void LatentLayer::project(Stream& stream, const Args& args) {
  const LayerWeights& weights = args.weights;
  const int64_t tokens = args.input.tokens;
  const Tensor down = products(kDown, tokens, weights.qkv.out());
  gemm_region(stream, "qkv", weights.qkv, tokens);
  kernels::gemm(stream, {.weight = &weights.qkv, .input = args.input, .out = down});
  // Its rows are what queries come from, or they themselves, and then the latent.
  Tensor first = down;
  first.width -= head_dim_;
  Tensor latent = down;
  latent.data = memory_[kDown].address() + row_bytes(product_dtype_, first.width);
  latent.width = head_dim_;
  Tensor query = first;
  if (weights.query_up) {
    const kernels::GemmInput input = weights.query_up.input(tokens, memory_[kQueryInput].address());
    stream.region("norm");
    kernels::rms_norm(stream, {.x = first,
                               .weight = weights.query_latent_norm.address<float>(),
                               .epsilon = spec_.norm_epsilon,
                               .out = input});
    query = products(kQuery, tokens, weights.query_up.out());
    gemm_region(stream, "queries up", weights.query_up, tokens);
    kernels::gemm(stream, {.weight = &weights.query_up, .input = input, .out = query});
  }
  const kernels::GemmInput nope = {.form = weights.keys_up.input_form(),
                                   .tokens = tokens,
                                   .width = int64_t{heads_} * spec_.nope_dim,
                                   .data = memory_[kNope].address()};
  stream.region("rotary, cache");
  kernels::latent_cache(stream, {.q = query,
                                 .latent = latent,
                                 .norm = weights.latent_norm.address<float>(),
                                 .norm_epsilon = spec_.norm_epsilon,
                                 .cos_sin = args.cos_sin,
                                 .style = rotary_style_,
                                 .slots = args.slots,
                                 .heads = heads_,
                                 .nope_dim = spec_.nope_dim,
                                 .cache = args.cache,
                                 .nope = nope,
                                 .rotated = queries(tokens)});
  gemm_region(stream, "keys up", weights.keys_up, tokens * heads_);
  kernels::head_gemm(stream,
                     {.weight = &weights.keys_up, .input = nope, .out = queries(tokens), .head_stride = head_dim_});
}

void LatentLayer::project_values(Stream& stream, const LayerWeights& weights, const kernels::GemmInput& out) {
  const bool f32 = out.form == kernels::InputForm::kF32;
  const bool as_it_is = f32 || out.form == kernels::InputForm::kBf16;
  const Tensor values = as_it_is ? make_tensor(out.data, f32 ? DType::kF32 : DType::kBF16, out.tokens, out.width)
                                 : products(kQueries, out.tokens, out.width);
  gemm_region(stream, "values up", weights.values_up, out.tokens * heads_);
  kernels::head_gemm(stream, {.weight = &weights.values_up,
                              .input = attended(weights, out.tokens),
                              .out = values,
                              .head_stride = spec_.value_dim});
  if (!as_it_is) kernels::quantize_input(stream, values, out);
}

}  // namespace caravel::model
