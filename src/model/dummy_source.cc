#include "model/dummy_source.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "format/weight_table.h"
#include "model/arch/architecture.h"
#include "model/config.h"
#include "model/config_reader.h"

namespace caravel::model {
namespace {

using format::WeightInfo;
using nlohmann::json;

DType given_dtype(const std::string& name) {
  std::vector<std::string_view> names;
  for (int i = 0; i < kDTypeCount; ++i) {
    names.push_back(dtype_info(static_cast<DType>(i)).name);
    if (names.back() == name) return static_cast<DType>(i);
  }
  throw fail<InvalidArgument>("dummy_dtype is '{}'; there are {}", name, fmt::join(names, ", "));
}

DType dtype_of(const json& config) {
  for (const char* key : {"dtype", "torch_dtype"}) {
    const auto named = config.find(key);
    if (named == config.end()) continue;
    if (*named == "float32") return DType::kF32;
    if (*named == "float16") return DType::kF16;
  }
  return DType::kBF16;
}

/// Of the matrices of layers, and of experts, where nobody gave another. MXFP4 is for experts alone: the rest of such a
/// folder has its dtype.
struct LayerTypes {
  DType matrices;
  DType experts;
};

LayerTypes layer_types_of(const json& config) {
  const DType plain = dtype_of(config);
  const auto how = config.find("quantization_config");
  if (how == config.end() || !how->is_object()) return {plain, plain};
  const std::string method = how->value("quant_method", json()).dump();
  if (method == R"("mxfp4")") return {plain, DType::kMXFP4};
  if (method != R"("fp8")") return {plain, plain};
  const bool of_blocks = !how->value("weight_block_size", json()).is_null();
  const DType shortened = of_blocks ? DType::kF8E4M3B128 : DType::kF8E4M3;
  return {shortened, shortened};
}

class DummySource final : public format::WeightSource {
 public:
  DummySource(std::unique_ptr<format::WeightSource> folder, const DummyWeights& weights)
      : folder_(std::move(folder)),
        architecture_(find_architecture(*folder_)),
        given_(weights.dtype),
        dtype_(given_.empty() ? layer_types_of(folder_->config()).matrices : given_dtype(given_)),
        expert_dtype_(given_.empty() ? layer_types_of(folder_->config()).experts : dtype_),
        seed_(weights.seed) {
    // The head's name alone tells the configuration whether there is one.
    if (!says("tie_word_embeddings", architecture_.ties_lm_head)) {
      table_.add({.name = name_of(architecture_.model_weights.lm_head, 0)});
    }
    const ModelConfig config = read_config(*this, "none");  // shapes do not depend on rotary scaling
    table_ = {};
    add_weights(config);
  }

  const std::string& path() const override { return folder_->path(); }
  format::Convention convention() const override { return folder_->convention(); }
  const json& config() const override { return folder_->config(); }
  const WeightInfo* find(std::string_view name) const override { return table_.find(name); }
  std::span<const WeightInfo> weights() const override { return table_.weights(); }
  const TokenizerData& tokenizer() const override { return folder_->tokenizer(); }
  const GenerationDefaults& generation_defaults() const override { return folder_->generation_defaults(); }
  const format::SentenceModules& sentence_modules() const override { return folder_->sentence_modules(); }
  MappedBytes map(const WeightInfo& weight, uint64_t offset, uint64_t bytes) const override {
    CARAVEL_CHECK(!weight.dummy_key);
    CARAVEL_CHECK(offset <= weight.bytes && bytes <= weight.bytes - offset);
    return MappedBytes(std::as_bytes(std::span(norm_)).subspan(offset, bytes));
  }

 private:
  bool says(const char* key, bool absent) const {
    return ConfigReader(*this, architecture_).truth(key).value_or(absent);
  }

  std::string name_of(const WeightName& name, int64_t layer, int expert = 0) const {
    const std::string_view pattern = spelled(name, convention());
    return pattern.empty() ? std::string() : fmt::format(fmt::runtime(pattern), layer, expert);
  }

  /// Of routers, which are not quantised in any model.
  DType exact_dtype() const { return is_quantized(dtype_) || is_float8(dtype_) ? dtype_of(folder_->config()) : dtype_; }

  /// That a row is whole blocks of the type that was given, or says of which others it is.
  void check_blocks(const std::string& name, DType dtype, int64_t width) const {
    const DTypeInfo& type = dtype_info(dtype);
    if (width % type.block_elements == 0) return;
    std::vector<std::string_view> fitting;
    for (int i = 0; i < kDTypeCount; ++i) {
      const DTypeInfo& other = dtype_info(static_cast<DType>(i));
      if (width % other.block_elements == 0) fitting.push_back(other.name);
    }
    throw fail<InvalidArgument>(
        "dummy_dtype is {}, whose blocks are {} elements; a row of {} has {}, which are whole blocks of {}", type.name,
        type.block_elements, name, width, fmt::join(fitting, ", "));
  }

  void add(std::string name, DType dtype, std::vector<int64_t> shape, bool random) {
    if (name.empty()) return;
    // Scales of blocks as wide as a row are scales of rows.
    const bool whole_rows = given_.empty() && dtype == DType::kF8E4M3B128 && shape.back() <= 128;
    if (whole_rows) dtype = DType::kF8E4M3;
    if (!given_.empty()) check_blocks(name, dtype, shape.back());
    WeightInfo weight = {.name = std::move(name), .dtype = dtype, .shape = std::move(shape), .file = path()};
    weight.bytes = format::checked_weight_bytes(weight);
    if (random) weight.dummy_key = hash128(weight.name.data(), weight.name.size(), {.low = seed_}).low;
    table_.add(std::move(weight));
  }
  void matrix(const WeightName& name, int64_t layer, int64_t out, int64_t in) {
    add(name_of(name, layer), dtype_, architecture_.by_columns ? std::vector{in, out} : std::vector{out, in}, true);
  }
  void norm(const WeightName& name, int64_t layer, int64_t width) {
    add(name_of(name, layer), DType::kF32, {width}, false);
    norm_.resize(std::max(norm_.size(), static_cast<size_t>(width)), architecture_.norm_adds_one ? 0.0F : 1.0F);
  }
  void bias(const WeightName& name, int64_t layer, int64_t width, bool wanted) {
    if (wanted || !name.optional) add(name_of(name, layer), DType::kF32, {width}, true);
  }

  void add_weights(const ModelConfig& config) {
    const ModelWeightNames& names = architecture_.model_weights;
    // These two are not 8-bit floats in any model.
    const DType dtype = is_float8(dtype_) ? dtype_of(folder_->config()) : dtype_;
    add(name_of(names.embedding, 0), dtype, {config.vocab_size, config.hidden_size}, true);
    add(name_of(names.positions, 0), DType::kF32, {config.first_position + config.max_position, config.hidden_size},
        true);
    norm(names.final_norm, 0, config.hidden_size);
    bias(names.final_norm_bias, 0, config.hidden_size, false);
    if (!config.tied_lm_head) {
      add(name_of(names.lm_head, 0), dtype, {config.vocab_size, config.hidden_size}, true);
    }
    for (size_t layer = 0; layer < config.layers.size(); ++layer) add_layer(config, static_cast<int64_t>(layer));
  }

  void add_layer(const ModelConfig& config, int64_t layer) {
    const LayerWeightNames& names = architecture_.layer_weights;
    const int64_t hidden = config.hidden_size;
    const int64_t q = int64_t{config.num_heads} * config.head_dim;
    const int64_t kv = int64_t{config.num_kv_heads} * config.head_dim;
    const bool attention_bias = says("attention_bias", false);
    const bool mlp_bias = says("mlp_bias", false);
    norm(names.attn_norm, layer, hidden);
    bias(names.attn_norm_bias, layer, hidden, false);
    if (config.latent) {
      add_latent_attention(config, layer);
    } else {
      matrix(names.q, layer, q, hidden);
    }
    matrix(names.k, layer, kv, hidden);
    matrix(names.v, layer, kv, hidden);
    matrix(names.qkv, layer, q + 2 * kv, hidden);
    bias(names.q_bias, layer, q, attention_bias);
    bias(names.k_bias, layer, kv, attention_bias);
    bias(names.v_bias, layer, kv, attention_bias);
    bias(names.qkv_bias, layer, q + 2 * kv, attention_bias);
    bias(names.sinks, layer, config.num_heads, true);
    if (!names.q_norm.optional || says("use_qk_norm", false)) {
      norm(names.q_norm, layer, config.qk_norm_rows ? q : config.head_dim);
      norm(names.k_norm, layer, config.qk_norm_rows ? kv : config.head_dim);
    }
    matrix(names.attn_out, layer, hidden, config.latent ? config.num_heads * config.latent.value_dim : q);
    bias(names.attn_out_bias, layer, hidden, attention_bias);
    norm(names.post_attn_norm, layer, hidden);
    norm(names.ffn_norm, layer, hidden);
    bias(names.ffn_norm_bias, layer, hidden, false);
    norm(names.post_ffn_norm, layer, hidden);
    if (config.layers[static_cast<size_t>(layer)].routed) return add_experts(config, layer);
    matrix(names.gate, layer, config.intermediate_size, hidden);
    matrix(names.up, layer, config.intermediate_size, hidden);
    matrix(names.gate_up, layer, 2 * config.intermediate_size, hidden);
    bias(names.gate_bias, layer, config.intermediate_size, mlp_bias);
    bias(names.up_bias, layer, config.intermediate_size, mlp_bias);
    matrix(names.down, layer, hidden, config.intermediate_size);
    bias(names.down_bias, layer, hidden, mlp_bias);
  }

  void add_latent_attention(const ModelConfig& config, int64_t layer) {
    const LatentWeightNames& names = architecture_.latent_weights;
    const LatentSpec& spec = config.latent;
    const int64_t q = int64_t{config.num_heads} * (spec.nope_dim + spec.rotary_dim);
    if (spec.query_latent_dim > 0) {
      matrix(names.q_down, layer, spec.query_latent_dim, config.hidden_size);
      norm(names.q_norm, layer, spec.query_latent_dim);
      matrix(names.q_up, layer, q, spec.query_latent_dim);
    } else {
      matrix(architecture_.layer_weights.q, layer, q, config.hidden_size);
    }
    matrix(names.down, layer, spec.latent_dim + spec.rotary_dim, config.hidden_size);
    norm(names.norm, layer, spec.latent_dim);
    matrix(names.keys_values_up, layer, int64_t{config.num_heads} * (spec.nope_dim + spec.value_dim), spec.latent_dim);
  }

  void add_experts(const ModelConfig& config, int64_t layer) {
    const ExpertWeightNames& names = architecture_.expert_weights;
    const ExpertsSpec& spec = config.experts;
    const int64_t hidden = config.hidden_size;
    add(name_of(names.router, layer), exact_dtype(), {spec.rule.experts, hidden}, true);
    bias(names.choice_bias, layer, spec.rule.experts, true);
    const int64_t count = spec.rule.experts;
    const int64_t width = spec.intermediate_size;
    bias(names.router_bias, layer, count, true);
    if (spelled(names.gate, convention()).empty()) {
      const bool by_columns = architecture_.experts_by_columns && !is_quantized(expert_dtype_);
      const auto all = [&](const WeightName& name, int64_t out, int64_t in) {
        add(name_of(name, layer), expert_dtype_, by_columns ? std::vector{count, in, out} : std::vector{count, out, in},
            true);
      };
      all(names.joined, 2 * width, hidden);
      all(names.beside_joined, hidden, width);
      add(name_of(names.joined_bias, layer), DType::kF32, {count, 2 * width}, true);
    }
    for (int expert = 0; expert < spec.rule.experts; ++expert) {
      add(name_of(names.gate, layer, expert), expert_dtype_, {width, hidden}, true);
      add(name_of(names.up, layer, expert), expert_dtype_, {width, hidden}, true);
      add(name_of(names.down, layer, expert), expert_dtype_, {hidden, width}, true);
    }
    add(name_of(names.down_bias, layer), DType::kF32, {count, hidden}, true);
    if (spec.shared_gate) add(name_of(names.shared_router, layer), exact_dtype(), {1, hidden}, true);
    if (spec.shared_intermediate_size == 0) return;
    matrix(names.shared_joined, layer, 2 * spec.shared_intermediate_size, hidden);
    matrix(names.shared_gate, layer, spec.shared_intermediate_size, hidden);
    matrix(names.shared_up, layer, spec.shared_intermediate_size, hidden);
    matrix(names.shared_down, layer, hidden, spec.shared_intermediate_size);
  }

  const std::unique_ptr<format::WeightSource> folder_;
  const Architecture& architecture_;
  const std::string given_;  // DummyWeights::dtype
  const DType dtype_;
  const DType expert_dtype_;
  const uint64_t seed_;
  format::WeightTable table_;
  std::vector<float> norm_;  // the widest: every norm's data
};

}  // namespace

std::unique_ptr<format::WeightSource> make_dummy(std::unique_ptr<format::WeightSource> folder,
                                                 const DummyWeights& weights) {
  if (names_encoder(*folder)) {
    throw fail<Unsupported>("{}: dummy weights are made of decoders, and this is an encoder", folder->path());
  }
  return std::make_unique<DummySource>(std::move(folder), weights);
}

}  // namespace caravel::model
