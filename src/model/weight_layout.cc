#include "model/weight_layout.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "model/arch/architecture.h"
#include "model/config_reader.h"
#include "model/weight_finder.h"

namespace caravel::model {
namespace {

using format::WeightInfo;

/// Rotary tables: those that were read with the configuration, one that follows from it (whatever stands before its
/// name). What older GPT-2 folders mask the future with.
bool is_known_extra(std::string_view name) {
  return name == "rope_freqs.weight" || name == "rope_factors_long.weight" || name == "rope_factors_short.weight" ||
         name.ends_with("rotary_emb.inv_freq") || name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias");
}

std::array<const WeightName*, 5> all_names(const ModelWeightNames& names) {
  return {&names.embedding, &names.positions, &names.final_norm, &names.final_norm_bias, &names.lm_head};
}

std::array<const WeightName*, 8> all_names(const LatentWeightNames& names) {
  return {&names.q_down, &names.q_norm,  &names.q_up,      &names.down,
          &names.norm,   &names.keys_up, &names.values_up, &names.keys_values_up};
}

std::array<const WeightName*, 26> all_names(const LayerWeightNames& names) {
  return {&names.attn_norm,
          &names.q,
          &names.k,
          &names.v,
          &names.q_bias,
          &names.k_bias,
          &names.v_bias,
          &names.q_norm,
          &names.k_norm,
          &names.attn_out,
          &names.attn_out_bias,
          &names.sinks,
          &names.post_attn_norm,
          &names.ffn_norm,
          &names.gate,
          &names.up,
          &names.down,
          &names.post_ffn_norm,
          &names.gate_bias,
          &names.up_bias,
          &names.down_bias,
          &names.qkv,
          &names.qkv_bias,
          &names.gate_up,
          &names.attn_norm_bias,
          &names.ffn_norm_bias};
}

class LayoutReader {
 public:
  LayoutReader(Device& device, const format::WeightSource& source, const ModelConfig& config)
      : source_(source),
        config_(config),
        architecture_(architecture_named(config.architecture)),
        shard_(shard_of(config)),
        finder_(device, source, config.quantization) {}

  WeightLayout read() {
    refuse_unknown_weights();
    check_switches();
    const ModelWeightNames& names = architecture_.model_weights;
    const int64_t hidden = config_.hidden_size;
    const bool first = config_.placement.is_first_stage();
    const bool last = config_.placement.is_last_stage();
    WeightLayout layout;
    if (first || (last && config_.tied_lm_head)) {
      layout.embedding = finder_.lookup(part(names.embedding, shard_.vocabulary), hidden);
    }
    if (first && config_.placement.tensor_rank == 0) {
      layout.positions = finder_.table(part(names.positions, config_.first_position + config_.max_position), hidden);
    }
    if (last) {
      layout.final_norm = finder_.vector({part(names.final_norm, hidden)});
      layout.final_norm_bias = finder_.vector({part(names.final_norm_bias, hidden)});
    }
    if (last && !config_.tied_lm_head) {
      layout.lm_head = finder_.head(part(names.lm_head, shard_.vocabulary), hidden);
    }
    for (layer_ = shard_.layers.begin; layer_ < shard_.layers.end; ++layer_) layout.layers.push_back(read_layer());
    layout.bytes = finder_.bytes();
    return layout;
  }

 private:
  LayerLayout read_layer() {
    const LayerWeightNames& names = architecture_.layer_weights;
    const int64_t hidden = config_.hidden_size;
    const int64_t head = config_.head_dim;
    const Slice q = shard_.heads.times(head);
    const Slice kv = shard_.kv_heads.times(head);
    const bool adds_bias = config_.placement.tensor_rank == 0;
    LayerLayout layer;
    layer.attn_norm = finder_.vector({part(names.attn_norm, hidden)});
    layer.attn_norm_bias = finder_.vector({part(names.attn_norm_bias, hidden)});
    if (config_.latent) {
      read_latent_attention(layer);
    } else {
      layer.qkv = matrix(stack(names.qkv, {{&names.q, q}, {&names.k, kv}, {&names.v, kv}}), hidden);
      layer.qkv_bias =
          finder_.vector(stack(names.qkv_bias, {{&names.q_bias, q}, {&names.k_bias, kv}, {&names.v_bias, kv}}));
      layer.sinks = finder_.vector({part(names.sinks, shard_.heads)});
      layer.q_norm = finder_.vector({part(names.q_norm, config_.qk_norm_rows ? q : Slice(head))});
      layer.k_norm = finder_.vector({part(names.k_norm, config_.qk_norm_rows ? kv : Slice(head))});
    }
    const int rotary = config_.layers[static_cast<size_t>(layer_)].rotary;
    // A norm wants a whole head first.
    if (rotary >= 0 && !config_.latent && config_.rotary_style == kernels::RotaryStyle::kHalves && !layer.q_norm &&
        !layer.k_norm) {
      layer.qkv.set_heads(
          {.head_dim = config_.head_dim, .rotary_dim = config_.rotary[static_cast<size_t>(rotary)].dim});
    }
    layer.attn_out =
        matrix({part(names.attn_out, hidden)}, config_.latent ? shard_.heads.times(config_.latent.value_dim) : q);
    if (adds_bias) layer.attn_out_bias = finder_.vector({part(names.attn_out_bias, hidden)});
    layer.post_attn_norm = finder_.vector({part(names.post_attn_norm, hidden)});
    layer.ffn_norm = finder_.vector({part(names.ffn_norm, hidden)});
    layer.ffn_norm_bias = finder_.vector({part(names.ffn_norm_bias, hidden)});
    if (config_.layers[static_cast<size_t>(layer_)].routed) {
      read_experts(layer);
    } else {
      read_feed_forward(layer);
    }
    layer.post_ffn_norm = finder_.vector({part(names.post_ffn_norm, hidden)});
    return layer;
  }

  void read_latent_attention(LayerLayout& layer) {
    const LatentWeightNames& names = architecture_.latent_weights;
    const LatentSpec& spec = config_.latent;
    const int64_t hidden = config_.hidden_size;
    const Slice q = shard_.heads.times(spec.nope_dim + spec.rotary_dim);
    const WeightFinder::Part down = part(names.down, spec.latent_dim + spec.rotary_dim);
    if (spec.query_latent_dim > 0) {
      layer.qkv = finder_.matrix({part(names.q_down, spec.query_latent_dim), down}, hidden);
      layer.query_latent_norm = finder_.vector({part(names.q_norm, spec.query_latent_dim)});
      layer.query_up = finder_.matrix({part(names.q_up, q)}, spec.query_latent_dim);
    } else {
      layer.qkv = finder_.matrix({part(architecture_.layer_weights.q, q), down}, hidden);
    }
    layer.latent_norm = finder_.vector({part(names.norm, spec.latent_dim)});
    const std::string joined = name_in_file(names.keys_values_up, layer_);
    const bool apart = source_.find(name_in_file(names.keys_up, layer_)) != nullptr;
    const int64_t heads = config_.num_heads;
    const int64_t rows = spec.nope_dim + spec.value_dim;  // of a head in the joined one
    std::vector<std::vector<WeightFinder::Part>> keys, values;
    for (int64_t h = shard_.heads.begin; h < shard_.heads.end; ++h) {
      if (apart) {
        keys.push_back({of_head(names.keys_up, h, spec.latent_dim)});
        values.push_back({of_head(names.values_up, h, spec.value_dim)});
      } else {
        const int64_t first = h * rows;
        const int64_t first_value = first + spec.nope_dim;
        keys.push_back({{.name = joined,
                         .rows = spec.latent_dim,
                         .by_columns = true,
                         .stored_columns = {heads * rows, first, first_value}}});
        values.push_back({{.name = joined, .rows = {heads * rows, first_value, first + rows}}});
      }
    }
    layer.keys_up = finder_.experts(keys, spec.nope_dim);
    layer.values_up = finder_.experts(values, spec.latent_dim);
  }

  /// Of a weight [heads, rows, ...].
  WeightFinder::Part of_head(const WeightName& name, int64_t head, int64_t rows) const {
    return {.name = name_in_file(name, layer_),
            .rows = Slice(config_.num_heads * rows, head * rows, (head + 1) * rows),
            .experts = config_.num_heads};
  }

  void read_feed_forward(LayerLayout& layer) {
    const LayerWeightNames& names = architecture_.layer_weights;
    const int64_t hidden = config_.hidden_size;
    const Slice& intermediate = shard_.intermediate;
    std::vector<std::pair<const WeightName*, Slice>> ups = {{&names.gate, intermediate}, {&names.up, intermediate}};
    std::vector<WeightFinder::Part> up_biases = {part(names.gate_bias, intermediate),
                                                 part(names.up_bias, intermediate)};
    if (name_in_file(names.gate, layer_).empty() && name_in_file(names.gate_up, layer_).empty()) {
      ups.erase(ups.begin());
      up_biases.erase(up_biases.begin());
    }
    layer.gate_up = matrix(stack(names.gate_up, ups), hidden);
    layer.gate_up_bias = finder_.vector(up_biases);
    layer.down = matrix({part(names.down, hidden)}, intermediate);
    if (config_.placement.tensor_rank == 0) layer.down_bias = finder_.vector({part(names.down_bias, hidden)});
  }

  MatrixLayout matrix(std::vector<WeightFinder::Part> parts, const Slice& columns) {
    const bool by_columns = architecture_.by_columns && source_.convention() == format::Convention::kHuggingFace;
    for (WeightFinder::Part& part : parts) part.by_columns = by_columns;
    return finder_.matrix(parts, columns);
  }

  void read_experts(LayerLayout& layer) {
    const ExpertWeightNames& names = architecture_.expert_weights;
    const ExpertsSpec& spec = config_.experts;
    const int64_t hidden = config_.hidden_size;
    const Slice& width = shard_.expert_intermediate;
    const Slice& shared = shard_.shared_intermediate;
    std::vector<WeightFinder::Part> router = {part(names.router, spec.rule.experts)};
    if (spec.shared_gate) router.push_back(part(names.shared_router, 1));
    layer.router = finder_.router(router, hidden);
    layer.router_bias = finder_.vector({part(names.router_bias, spec.rule.experts)});
    WeightFinder::Part choice = part(names.choice_bias, spec.rule.experts);
    // It may be absent for routers by softmax (DeepSeek-V2's) that are read by the same table.
    choice.optional = choice.optional && spec.rule.score != kernels::RouterRule::Score::kSigmoid;
    layer.choice_bias = finder_.vector({choice});
    const auto joined = [&](const WeightName& name) {
      if (architecture_.joined_in_turn) return std::vector<ExpertPart>{{name, width, {2, 0}}, {name, width, {2, 1}}};
      const Slice gate = {2 * width.whole, width.begin, width.end};
      const Slice up = {2 * width.whole, width.whole + width.begin, width.whole + width.end};
      return std::vector<ExpertPart>{{name, gate}, {name, up}};
    };
    if (is_joined(layer_)) {
      refuse_apart();
      layer.expert_gate_up = experts(joined(names.joined), hidden);
      layer.expert_gate_up_bias = biases(joined(names.joined_bias));
      layer.expert_down = experts({{names.beside_joined, hidden}}, width);
    } else {
      layer.expert_gate_up = experts({{names.gate, width}, {names.up, width}}, hidden);
      layer.expert_gate_up_bias = biases({{names.gate_bias, width}, {names.up_bias, width}});
      layer.expert_down = experts({{names.down, hidden}}, width);
    }
    if (config_.placement.tensor_rank == 0) layer.expert_down_bias = biases({{names.down_bias, hidden}});
    if (spec.shared_intermediate_size == 0) return;
    layer.gate_up =
        finder_.matrix(stack(names.shared_joined, {{&names.shared_gate, shared}, {&names.shared_up, shared}}), hidden);
    layer.down = finder_.matrix({part(names.shared_down, hidden)}, shared);
  }

  struct ExpertPart {
    const WeightName& name;
    Slice rows;  // of one expert's
    Turns turns = {};
  };
  /// By expert.
  std::vector<std::vector<WeightFinder::Part>> stacks(const std::vector<ExpertPart>& parts) const {
    const int count = config_.experts.rule.experts;
    std::vector<std::vector<WeightFinder::Part>> stacks(static_cast<size_t>(count));
    for (int e = 0; e < count; ++e) {
      for (const auto& [name, rows, turns] : parts) {
        WeightFinder::Part& part = stacks[static_cast<size_t>(e)].emplace_back();
        part.name = name_in_file(name, layer_, e);
        part.rows = rows;
        if (is_of_each(name)) continue;
        part.experts = count;
        part.rows = {count * rows.whole, e * rows.whole + rows.begin, e * rows.whole + rows.end};
        part.turns = turns;
        part.by_columns = is_by_columns(part.name);
      }
    }
    return stacks;
  }
  MatrixLayout experts(const std::vector<ExpertPart>& parts, Slice columns) {
    return finder_.experts(stacks(parts), columns);
  }
  VectorLayout biases(const std::vector<ExpertPart>& parts) {
    std::vector<WeightFinder::Part> all;
    for (const auto& of_expert : stacks(parts)) all.insert(all.end(), of_expert.begin(), of_expert.end());
    return finder_.vector(all);
  }

  /// Of a weight of all experts.
  bool is_by_columns(const std::string& name) const {
    if (!architecture_.experts_by_columns || source_.convention() != format::Convention::kHuggingFace) return false;
    const WeightInfo* weight = source_.find(name);
    return weight != nullptr && !is_quantized(weight->dtype);
  }

  /// Of which one would be read, and the other ignored in silence.
  void refuse_beside(const std::string& whole, const std::string& part) const {
    if (part.empty() || source_.find(part) == nullptr) return;
    throw fail<FormatError>("{}: there is {}, and {}, which holds the same: one of them must go",
                            source_.find(part)->file, part, whole);
  }

  /// Experts' own weights beside those of all together.
  void refuse_apart() const {
    const ExpertWeightNames& names = architecture_.expert_weights;
    const std::pair<const WeightName*, const WeightName*> same[] = {
        {&names.joined, &names.gate}, {&names.joined, &names.up}, {&names.beside_joined, &names.down}};
    for (const auto& [whole, own] : same) {
      const std::string joined = name_in_file(*whole, layer_);
      for (int e = 0; e < (is_of_each(*own) ? config_.experts.rule.experts : 1); ++e) {
        const std::string apart = name_in_file(*own, layer_, e);
        if (apart != joined) refuse_beside(joined, apart);
      }
    }
  }

  /// The name of one expert's weight, not of all together.
  bool is_of_each(const WeightName& name) const {
    const std::string_view pattern = spelled(name, source_.convention());
    return pattern.find("{}") != pattern.rfind("{}");
  }
  bool is_joined(int64_t layer) const {
    const ExpertWeightNames& names = architecture_.expert_weights;
    return name_in_file(names.gate, layer).empty() || source_.find(name_in_file(names.joined, layer)) != nullptr;
  }

  std::string name_in_file(const WeightName& name, int64_t layer, int64_t expert = 0) const {
    const std::string_view pattern = spelled(name, source_.convention());
    return pattern.empty() ? std::string() : fmt::format(fmt::runtime(pattern), layer, expert);
  }

  void add_names(int64_t layer, std::set<std::string>& known) const {
    const LayerWeightNames& names = architecture_.layer_weights;
    const std::array of_dense = {&names.gate,    &names.up,        &names.down,   &names.gate_bias,
                                 &names.up_bias, &names.down_bias, &names.gate_up};
    const bool routed = config_.layers[static_cast<size_t>(layer)].routed;
    for (const WeightName* name : all_names(names)) {
      if (!routed || std::ranges::find(of_dense, name) == of_dense.end()) known.insert(name_in_file(*name, layer));
    }
    if (routed) add_expert_names(layer, known);
    if (config_.latent) add_latent_names(layer, known);
  }

  void add_latent_names(int64_t layer, std::set<std::string>& known) const {
    const LatentWeightNames& names = architecture_.latent_weights;
    const std::array of_query_latent = {&names.q_down, &names.q_norm, &names.q_up};
    const bool has_query_latent = config_.latent.query_latent_dim > 0;
    for (const WeightName* name : all_names(names)) {
      const bool of_query = std::ranges::find(of_query_latent, name) != of_query_latent.end();
      if (has_query_latent || !of_query) known.insert(name_in_file(*name, layer));
    }
    if (has_query_latent) known.erase(name_in_file(architecture_.layer_weights.q, layer));
  }

  void add_expert_names(int64_t layer, std::set<std::string>& known) const {
    const ExpertWeightNames& names = architecture_.expert_weights;
    const ExpertsSpec& spec = config_.experts;
    const auto add = [&](const WeightName& name) {
      const int count = is_of_each(name) ? spec.rule.experts : 1;
      for (int e = 0; e < count; ++e) known.insert(name_in_file(name, layer, e));
    };
    for (const WeightName* name : {&names.router, &names.router_bias, &names.choice_bias, &names.down_bias}) add(*name);
    if (is_joined(layer)) {
      for (const WeightName* name : {&names.joined, &names.joined_bias, &names.beside_joined}) add(*name);
      for (const WeightName* name : {&names.gate, &names.up, &names.down}) add(*name);  // for refuse_apart()
    } else {
      for (const WeightName* name : {&names.gate, &names.up, &names.down, &names.gate_bias, &names.up_bias}) add(*name);
    }
    if (spec.shared_gate) add(names.shared_router);
    if (spec.shared_intermediate_size == 0) return;
    for (const WeightName* name : {&names.shared_joined, &names.shared_gate, &names.shared_up, &names.shared_down}) {
      add(*name);
    }
  }

  /// Of a layer behind the last. One that guesses has a matrix for what it reads of the next token's embedding beside
  /// the last layer's output (DeepSeek-V3: arXiv 2412.19437, section 2.2): without that, it is a layer like others,
  /// which the configuration leaves out.
  bool is_unread(const WeightInfo& weight) const {
    const bool gguf = source_.convention() == format::Convention::kGguf;
    for (int64_t i = 0; i < config_.unread_layers; ++i) {
      const int64_t layer = shard_.layers.whole + i;
      const std::string prefix = gguf ? fmt::format("blk.{}.", layer) : fmt::format("model.layers.{}.", layer);
      if (!weight.name.starts_with(prefix)) continue;
      const std::string guesses = prefix + (gguf ? "nextn.eh_proj.weight" : "eh_proj.weight");
      if (source_.find(guesses) != nullptr) return true;
      throw fail<FormatError>(
          "{}: weight {} is of a layer behind the last of {}, which by the configuration guesses at tokens after the "
          "next, but there is no {}",
          weight.file, weight.name, shard_.layers.whole, guesses);
    }
    return false;
  }

  /// "blk.3.ffn_gate.7.weight".
  bool is_old_expert(std::string_view name) const {
    if (source_.convention() != format::Convention::kGguf || !name.starts_with("blk.")) return false;
    for (const std::string_view part : {".ffn_gate.", ".ffn_up.", ".ffn_down."}) {
      const size_t at = name.find(part);
      if (at != name.npos && at + part.size() < name.size() && name[at + part.size()] >= '0' &&
          name[at + part.size()] <= '9')
        return true;
    }
    return false;
  }

  /// A weight that nothing would read means another computation than this one (another bias, a norm): its answers
  /// would be wrong in silence.
  void refuse_unknown_weights() const {
    std::set<std::string> known;
    for (const WeightName* name : all_names(architecture_.model_weights)) known.insert(name_in_file(*name, 0));
    for (int64_t layer = 0; layer < shard_.layers.whole; ++layer) add_names(layer, known);
    for (const WeightInfo& weight : source_.weights()) {
      if (!known.contains(weight.name) && !is_known_extra(weight.name) && !is_unread(weight)) {
        if (is_old_expert(weight.name)) {
          throw fail<Unsupported>(
              "{}: weight {} is of one expert, as llama.cpp wrote them before 2024: convert the model again, or take a "
              "newer file of it, with {}",
              weight.file, weight.name, name_in_file(architecture_.expert_weights.gate, 0));
        }
        throw fail<Unsupported>("{}: weight {} is none that Caravel knows in a {} of {} layers", weight.file,
                                weight.name, architecture_.name, config_.layers.size());
      }
    }
  }

  /// What a class has where a switch of its config.json says so: with the switch off it ignores such a weight, and
  /// without the norm that a switch asks for the model is another one. (A missing bias is zero.)
  void check_switches() const {
    if (source_.convention() != format::Convention::kHuggingFace) return;
    const LayerWeightNames& names = architecture_.layer_weights;
    const std::pair<std::string_view, std::vector<const WeightName*>> switches[] = {
        {"attention_bias", {&names.q_bias, &names.k_bias, &names.v_bias, &names.qkv_bias, &names.attn_out_bias}},
        {"mlp_bias", {&names.gate_bias, &names.up_bias, &names.down_bias}},
        {kNormSwitch, {&names.q_norm, &names.k_norm}}};
    const ConfigReader reader(source_, architecture_);
    for (const auto& [key, of_key] : switches) {
      const std::optional<bool> said = reader.truth(key);
      if (!said) continue;
      for (const WeightName* name : of_key) {
        if (!name->optional || (*said && key != kNormSwitch)) continue;
        for (int64_t layer = 0; layer < shard_.layers.whole; ++layer) {
          const std::string in_file = name_in_file(*name, layer);
          if (in_file.empty() || (source_.find(in_file) != nullptr) == *said) continue;
          throw fail<FormatError>("{}: weight {} is {}, and {} is {}", source_.path(), in_file,
                                  *said ? "missing" : "there", key, *said);
        }
      }
    }
  }

  /// Weights that will lie one after the other: slices of the one that holds them all, where the file has that, else
  /// each its own.
  std::vector<WeightFinder::Part> stack(const WeightName& whole,
                                        const std::vector<std::pair<const WeightName*, Slice>>& of) const {
    const std::string name = name_in_file(whole, layer_);
    const bool alone = name_in_file(*of.front().first, layer_).empty();  // there is no other way to say it
    std::vector<WeightFinder::Part> parts;
    if (name.empty() || (!alone && source_.find(name) == nullptr)) {
      for (const auto& [own, rows] : of) parts.push_back(part(*own, rows));
      return parts;
    }
    for (const auto& [own, rows] : of) refuse_beside(name, name_in_file(*own, layer_));
    int64_t all = 0;
    for (const auto& [own, rows] : of) all += rows.whole;
    int64_t before = 0;
    for (const auto& [own, rows] : of) {
      parts.push_back(part(whole, {all, before + rows.begin, before + rows.end}));
      before += rows.whole;
    }
    return parts;
  }

  WeightFinder::Part part(const WeightName& name, Slice rows) const {
    return {.name = name_in_file(name, layer_), .rows = rows, .optional = name.optional};
  }

  static constexpr std::string_view kNormSwitch = "use_qk_norm";

  const format::WeightSource& source_;
  const ModelConfig& config_;
  const Architecture& architecture_;
  const Shard shard_;
  int64_t layer_ = 0;  // the one whose weights are looked for
  WeightFinder finder_;
};

}  // namespace

MatrixLayout::MatrixLayout(Device& device, std::vector<Part> parts, Slice columns, bool rotated, int experts)
    : parts_(std::move(parts)),
      columns_(columns),
      rotated_(rotated),
      experts_(experts),
      form_(kernels::input_form(device, parts_.front().dtype, rotated)) {
  for (const Part& part : parts_) bytes_ += kernels::packed_bytes(device, part.dtype, part.rows.size(), in());
}

int64_t MatrixLayout::out() const {
  int64_t rows = 0;
  for (const Part& part : parts()) rows += part.rows.size();
  return rows;
}

int64_t VectorLayout::width() const {
  int64_t width = 0;
  for (const Part& part : parts_) width += part.elements.size();
  return width;
}

WeightLayout weight_layout(Device& device, const format::WeightSource& source, const ModelConfig& config) {
  return LayoutReader(device, source, config).read();
}

}  // namespace caravel::model
