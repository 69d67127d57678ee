#include "model/weight_layout.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>
#include <string>

#include "base/check.h"
#include "base/error.h"
#include "model/arch/architecture.h"

namespace caravel::model {
namespace {

using format::WeightInfo;

/// Rotary tables: one that was read with the configuration, one that follows from it (whatever stands before its name).
bool is_known_extra(std::string_view name) {
  return name == "rope_freqs.weight" || name.ends_with("rotary_emb.inv_freq");
}

std::array<const WeightName*, 3> all_names(const ModelWeightNames& names) {
  return {&names.embedding, &names.final_norm, &names.lm_head};
}

std::array<const WeightName*, 20> all_names(const LayerWeightNames& names) {
  return {
      &names.attn_norm, &names.q,        &names.k,      &names.v,        &names.q_bias,        &names.k_bias,
      &names.v_bias,    &names.q_norm,   &names.k_norm, &names.attn_out, &names.attn_out_bias, &names.post_attn_norm,
      &names.ffn_norm,  &names.gate,     &names.up,     &names.down,     &names.post_ffn_norm, &names.gate_bias,
      &names.up_bias,   &names.down_bias};
}

class LayoutReader {
 public:
  LayoutReader(const format::WeightSource& source, const ModelConfig& config)
      : source_(source), config_(config), architecture_(architecture_named(config.architecture)) {}

  WeightLayout read() {
    refuse_unknown_weights();
    const ModelWeightNames& names = architecture_.model_weights;
    const int64_t hidden = config_.hidden_size;
    WeightLayout layout;
    layout.embedding = matrix({{names.embedding, config_.vocab_size}}, hidden);
    layout.final_norm = vector({{names.final_norm, hidden}});
    if (!config_.tied_lm_head) layout.lm_head = matrix({{names.lm_head, config_.vocab_size}}, hidden);
    for (size_t i = 0; i < config_.layers.size(); ++i) {
      layer_ = i;
      layout.layers.push_back(read_layer());
    }
    layout.bytes = bytes_;
    return layout;
  }

 private:
  struct Part {
    WeightName name;
    int64_t rows = 0;
  };

  LayerLayout read_layer() {
    const LayerWeightNames& names = architecture_.layer_weights;
    const int64_t hidden = config_.hidden_size;
    const int64_t intermediate = config_.intermediate_size;
    const int64_t head = config_.head_dim;
    const int64_t q = config_.num_heads * head;
    const int64_t kv = config_.num_kv_heads * head;
    LayerLayout layer;
    layer.attn_norm = vector({{names.attn_norm, hidden}});
    layer.qkv = matrix({{names.q, q}, {names.k, kv}, {names.v, kv}}, hidden);
    layer.qkv_bias = vector({{names.q_bias, q}, {names.k_bias, kv}, {names.v_bias, kv}});
    layer.q_norm = vector({{names.q_norm, head}});
    layer.k_norm = vector({{names.k_norm, head}});
    layer.attn_out = matrix({{names.attn_out, hidden}}, q);
    layer.attn_out_bias = vector({{names.attn_out_bias, hidden}});
    layer.post_attn_norm = vector({{names.post_attn_norm, hidden}});
    layer.ffn_norm = vector({{names.ffn_norm, hidden}});
    layer.gate_up = matrix({{names.gate, intermediate}, {names.up, intermediate}}, hidden);
    layer.gate_up_bias = vector({{names.gate_bias, intermediate}, {names.up_bias, intermediate}});
    layer.down = matrix({{names.down, hidden}}, intermediate);
    layer.down_bias = vector({{names.down_bias, hidden}});
    layer.post_ffn_norm = vector({{names.post_ffn_norm, hidden}});
    return layer;
  }

  std::string name_in_file(const WeightName& name, size_t layer) const {
    const std::string_view pattern = spelled(name, source_.convention());
    return pattern.empty() ? std::string() : fmt::format(fmt::runtime(pattern), layer);
  }

  /// A weight that nothing would read means another computation than this one (experts, another bias): its answers
  /// would be wrong in silence.
  void refuse_unknown_weights() const {
    std::set<std::string> known;
    for (const WeightName* name : all_names(architecture_.model_weights)) known.insert(name_in_file(*name, 0));
    for (size_t layer = 0; layer < config_.layers.size(); ++layer) {
      for (const WeightName* name : all_names(architecture_.layer_weights)) known.insert(name_in_file(*name, layer));
    }
    for (const WeightInfo& weight : source_.weights()) {
      if (!known.contains(weight.name) && !is_known_extra(weight.name)) {
        throw fail<Unsupported>("{}: weight {} is none that Caravel knows in a {} of {} layers", weight.file,
                                weight.name, architecture_.name, config_.layers.size());
      }
    }
  }

  /// nullptr: the architecture does not have it, or it may be absent and is.
  const WeightInfo* find(const WeightName& name, std::initializer_list<int64_t> shape) const {
    const std::string file_name = name_in_file(name, layer_);
    if (file_name.empty()) return nullptr;
    const WeightInfo* weight = source_.find(file_name);
    if (weight == nullptr) {
      if (name.optional) return nullptr;
      throw fail<FormatError>("{}: weight {} is missing", source_.path(), file_name);
    }
    if (!std::equal(weight->shape.begin(), weight->shape.end(), shape.begin(), shape.end())) {
      throw fail<FormatError>("{}: weight {} is [{}]; by the configuration it must be [{}]", weight->file, file_name,
                              fmt::join(weight->shape, ", "), fmt::join(shape, ", "));
    }
    return weight;
  }

  /// Absent where all parts are; a part alone that is absent is zero.
  VectorLayout vector(std::initializer_list<Part> parts) {
    std::vector<VectorLayout::Part> found;
    for (const Part& part : parts) found.push_back({find(part.name, {part.rows}), part.rows});
    if (std::ranges::all_of(found, [](const auto& part) { return part.weight == nullptr; })) return {};
    VectorLayout layout(std::move(found));
    bytes_ += layout.bytes();
    return layout;
  }

  MatrixLayout matrix(std::initializer_list<Part> parts, int64_t in) {
    std::vector<MatrixLayout::Part> found;
    for (const Part& part : parts) {
      const WeightInfo* weight = find(part.name, {part.rows, in});
      CARAVEL_CHECK(weight != nullptr);  // no table makes a part of a stack optional
      found.push_back({weight, weight->dtype, part.rows});
    }
    // Quantised parts take 8-bit inputs and others f32, so a stack of both has no one input. Converters do not make
    // them; where one comes, its quantised parts become F32, which changes no value.
    const auto quantized = [](const MatrixLayout::Part& part) { return is_quantized(part.dtype); };
    if (!std::ranges::all_of(found, quantized)) {
      for (MatrixLayout::Part& part : found) part.dtype = quantized(part) ? DType::kF32 : part.dtype;
    }
    MatrixLayout layout(std::move(found), in);
    bytes_ += layout.bytes();
    return layout;
  }

  const format::WeightSource& source_;
  const ModelConfig& config_;
  const Architecture& architecture_;
  size_t layer_ = 0;  // the one whose weights are looked for
  size_t bytes_ = 0;
};

}  // namespace

int64_t MatrixLayout::out() const {
  int64_t rows = 0;
  for (const Part& part : parts_) rows += part.rows;
  return rows;
}

size_t MatrixLayout::bytes() const {
  size_t bytes = 0;
  for (const Part& part : parts_) bytes += kernels::packed_bytes(part.dtype, part.rows, in_);
  return bytes;
}

int64_t VectorLayout::width() const {
  int64_t width = 0;
  for (const Part& part : parts_) width += part.width;
  return width;
}

WeightLayout weight_layout(const format::WeightSource& source, const ModelConfig& config) {
  return LayoutReader(source, config).read();
}

}  // namespace caravel::model
