#include "model/latent/latent_layer.h"

#include <algorithm>

#include "kernels/gemm.h"
#include "kernels/head_gemm.h"
#include "kernels/latent_cache.h"
#include "kernels/rms_norm.h"
#include "model/gemm_region.h"

namespace caravel::model {
namespace {

struct LatentSizes {
  size_t down = 0, query_input = 0, query = 0, nope = 0, queries = 0, attended = 0;  // bytes

  size_t total() const { return down + query_input + query + nope + queries + attended; }
};

template <typename Matrix, typename Vector>
LatentSizes latent_sizes(Device& device, const ModelConfig& config, const WeightsOf<Matrix, Vector>& weights,
                         int64_t max_tokens) {
  LatentSizes sizes;
  if (!config.latent) return sizes;
  const auto raise = [](size_t& bytes, size_t needed) { bytes = std::max(bytes, needed); };
  const DType product = kernels::product_dtype(device);
  const auto products = [&](int64_t width) { return static_cast<size_t>(max_tokens * row_bytes(product, width)); };
  const int64_t heads = shard_of(config).heads.size();
  const auto input_of = [&](const Matrix& weight, int64_t width) {
    return kernels::gemm_input_bytes(device, weight.input_form(), max_tokens, width);
  };
  for (const LayerOf<Matrix, Vector>& layer : weights.layers) {
    raise(sizes.down, products(layer.qkv.out()));
    if (layer.query_up) {
      raise(sizes.query_input, input_of(layer.query_up, layer.query_up.in()));
      raise(sizes.query, products(layer.query_up.out()));
    }
    raise(sizes.nope, input_of(layer.keys_up, heads * layer.keys_up.in()));
    raise(sizes.queries, products(heads * std::max(config.head_dim, config.latent.value_dim)));
    raise(sizes.attended, input_of(layer.values_up, heads * layer.values_up.in()));
  }
  return sizes;
}

}  // namespace

template <typename Matrix, typename Vector>
size_t LatentLayer::activation_bytes(Device& device, const ModelConfig& config,
                                     const WeightsOf<Matrix, Vector>& weights, int64_t max_tokens) {
  return latent_sizes(device, config, weights, max_tokens).total();
}
template size_t LatentLayer::activation_bytes(Device& device, const ModelConfig& config, const WeightLayout& weights,
                                              int64_t max_tokens);
template size_t LatentLayer::activation_bytes(Device& device, const ModelConfig& config,
                                              const WeightsOf<kernels::PackedWeight, Buffer>& weights,
                                              int64_t max_tokens);

LatentLayer::LatentLayer(Device& device, const ModelConfig& config, const ModelWeights& weights, int64_t max_tokens)
    : spec_(config.latent),
      rotary_style_(config.rotary_style),
      heads_(static_cast<int>(shard_of(config).heads.size())),
      head_dim_(config.head_dim),
      product_dtype_(kernels::product_dtype(device)) {
  const LatentSizes sizes = latent_sizes(device, config, weights, max_tokens);
  down_ = device.allocate(sizes.down);
  query_input_ = device.allocate(sizes.query_input);
  query_ = device.allocate(sizes.query);
  nope_ = device.allocate(sizes.nope);
  queries_ = device.allocate(sizes.queries);
  attended_ = device.allocate(sizes.attended);
}

size_t LatentLayer::activation_bytes() const {
  size_t bytes = 0;
  for (const Buffer* buffer : {&down_, &query_input_, &query_, &nope_, &queries_, &attended_}) bytes += buffer->size();
  return bytes;
}

Tensor LatentLayer::products(const Buffer& memory, int64_t tokens, int64_t width) const {
  return make_tensor(memory.address(), product_dtype_, tokens, width);
}

Tensor LatentLayer::queries(int64_t tokens) const { return products(queries_, tokens, int64_t{heads_} * head_dim_); }

kernels::GemmInput LatentLayer::attended(const LayerWeights& weights, int64_t tokens) const {
  return {.form = weights.values_up.input_form(),
          .tokens = tokens,
          .width = int64_t{heads_} * spec_.latent_dim,
          .data = attended_.address()};
}

void LatentLayer::project(Stream& stream, const Args& args) {
  const LayerWeights& weights = args.weights;
  const int64_t tokens = args.input.tokens;
  const Tensor down = products(down_, tokens, weights.qkv.out());
  gemm_region(stream, "qkv", weights.qkv, tokens);
  kernels::gemm(stream, {.weight = &weights.qkv, .input = args.input, .out = down});
  // Its rows are what queries come from, or they themselves, and then the latent.
  Tensor first = down;
  first.width -= head_dim_;
  Tensor latent = down;
  latent.data = down_.address() + row_bytes(product_dtype_, first.width);
  latent.width = head_dim_;
  Tensor query = first;
  if (weights.query_up) {
    const kernels::GemmInput input = weights.query_up.input(tokens, query_input_.address());
    stream.region("norm");
    kernels::rms_norm(stream, {.x = first,
                               .weight = weights.query_latent_norm.address<float>(),
                               .epsilon = spec_.norm_epsilon,
                               .out = input});
    query = products(query_, tokens, weights.query_up.out());
    gemm_region(stream, "queries up", weights.query_up, tokens);
    kernels::gemm(stream, {.weight = &weights.query_up, .input = input, .out = query});
  }
  const kernels::GemmInput nope = {.form = weights.keys_up.input_form(),
                                   .tokens = tokens,
                                   .width = int64_t{heads_} * spec_.nope_dim,
                                   .data = nope_.address()};
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
                                 : products(queries_, out.tokens, out.width);
  gemm_region(stream, "values up", weights.values_up, out.tokens * heads_);
  kernels::head_gemm(stream, {.weight = &weights.values_up,
                              .input = attended(weights, out.tokens),
                              .out = values,
                              .head_stride = spec_.value_dim});
  if (!as_it_is) kernels::quantize_input(stream, values, out);
}

}  // namespace caravel::model
