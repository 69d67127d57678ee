#include "model/read_experts.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace caravel::model {
namespace {

using format::Convention;
using kernels::RouterRule;

/// Which no router that scores by softmax has. A folder that transformers 5.24 wrote does not say how it scores, nor
/// does a file that is converted from it.
bool has_choice_biases(const format::WeightSource& source) {
  return std::ranges::any_of(source.weights(),
                             [](const auto& weight) { return weight.name.ends_with(".exp_probs_b.bias"); });
}

/// A file in llama.cpp's format may say how its router scores; the architecture's table says what is computed, or that
/// the file does.
RouterRule::Score read_score(const ConfigReader& reader, const ExpertRule& keys) {
  using Score = RouterRule::Score;
  constexpr const char* kKey = "expert_gating_func";
  RouterRule::Score score = keys.score;
  const nlohmann::json* value = reader.convention() == Convention::kGguf ? reader.find(kKey) : nullptr;
  if (value == nullptr) return keys.score_in_file && has_choice_biases(reader.source()) ? Score::kSigmoid : score;
  constexpr int64_t kSoftmax = 1, kSigmoid = 2, kSoftmaxOfChosen = 3;
  const int64_t stated = reader.checked_integer(*value, reader.full_key(kKey), 0, 4);
  if (keys.score_in_file && stated == kSigmoid) score = RouterRule::Score::kSigmoid;
  // Of renormalised weights the first and the third are the same.
  const bool same =
      score == RouterRule::Score::kSigmoid
          ? stated == kSigmoid
          : stated == kSoftmax || (score == RouterRule::Score::kSoftmaxOfChosen && stated == kSoftmaxOfChosen);
  if (stated == 0 || same) return score;
  throw fail<Unsupported>("{}: {} is {}; routers of this architecture that score by {} are supported",
                          reader.source().path(), reader.full_key(kKey), stated,
                          score == RouterRule::Score::kSigmoid ? "sigmoid (2)" : "softmax (1)");
}

bool ignores_groups(const ConfigReader& reader, const ExpertRule& keys) {
  if (keys.group_method.empty() || reader.convention() == Convention::kGguf) return false;
  const nlohmann::json* method = reader.find(keys.group_method);
  if (method == nullptr || method->is_null() || *method == "greedy") return true;
  if (*method == "group_limited_greedy") return false;
  throw fail<Unsupported>("{}: {} is {}; greedy and group_limited_greedy are supported", reader.source().path(),
                          keys.group_method, ConfigReader::shown(*method));
}

/// A folder's class divides by the one number, and chooses no group by the other; without the key it has its own.
void refuse_no_groups(const ConfigReader& reader, const Key& key) {
  if (reader.convention() == Convention::kGguf) return;
  const nlohmann::json* value = reader.find(key.hugging_face.key);
  if (value == nullptr || (!value->is_null() && *value != 0)) return;
  throw fail<FormatError>("{}: {} is {}; it must be a whole number above 0", reader.source().path(),
                          key.hugging_face.key, ConfigReader::shown(*value));
}

RouterRule read_rule(const ConfigReader& reader, const ExpertRule& keys, int experts) {
  const auto named = [&](const Key& key) { return reader.full_key(spelled(key, reader.convention()).key); };
  RouterRule rule{.score = read_score(reader, keys), .experts = experts, .group_score = keys.group_score};
  if (keys.score_in_file && rule.score == RouterRule::Score::kSigmoid) {
    rule.group_score = RouterRule::GroupScore::kSumOfTwoLargest;
  }
  rule.per_token = static_cast<int>(reader.integer(keys.per_token, 1, std::min(experts, kernels::kMaxExpertsPerToken)));
  const bool ignored = ignores_groups(reader, keys);
  if (!ignored) {
    for (const Key* key : {&keys.groups, &keys.chosen_groups}) refuse_no_groups(reader, *key);
  }
  rule.groups = std::max(1, static_cast<int>(reader.integer(keys.groups, 0, experts)));
  rule.chosen_groups = std::max(1, static_cast<int>(reader.integer(keys.chosen_groups, 0, rule.groups)));
  if (ignored) rule.groups = 1;
  if (rule.groups == 1 || rule.chosen_groups == rule.groups) rule.groups = rule.chosen_groups = 1;
  const int of_group = experts / rule.groups;
  const bool sums_two = rule.groups > 1 && rule.group_score == RouterRule::GroupScore::kSumOfTwoLargest;
  // What a file does not say may be more than it says.
  if (experts % rule.groups != 0 || rule.chosen_groups > rule.groups ||
      of_group * rule.chosen_groups < rule.per_token || (sums_two && of_group < 2)) {
    throw fail<FormatError>(
        "{}: of {} experts ({}) in {} groups ({}), {} groups are chosen ({}) and {} experts of these ({}), which "
        "cannot "
        "be",
        reader.source().path(), experts, named(keys.experts), rule.groups, named(keys.groups), rule.chosen_groups,
        named(keys.chosen_groups), rule.per_token, named(keys.per_token));
  }
  rule.renormalized = reader.flag(keys.renormalized);
  const double scale = reader.number(keys.scale, 0, 1e6);
  if (scale > 0) rule.scale = static_cast<float>(scale);
  return rule;
}

/// A GGUF file's shared experts are as wide as their tensor, where no key says it (Qwen2's, of before llama.cpp had
/// one).
int width_in_file(const ConfigReader& reader, const Architecture& architecture, const std::vector<LayerSpec>& layers) {
  if (reader.convention() != Convention::kGguf) return 0;
  const ExpertRule& keys = architecture.experts;
  if (reader.find(keys.shared_experts.gguf.key) != nullptr ||
      reader.find(keys.shared_intermediate_size.gguf.key) != nullptr) {
    return 0;
  }
  const auto routed = std::ranges::find_if(layers, &LayerSpec::routed) - layers.begin();
  const format::WeightInfo* gate =
      reader.source().find(fmt::format(fmt::runtime(architecture.expert_weights.shared_gate.gguf), routed));
  if (gate == nullptr || gate->shape.size() != 2) return 0;
  return static_cast<int>(std::min<int64_t>(gate->shape[0], kMaxWidth));
}

void mark_layers(const ConfigReader& reader, const ExpertRule& keys, std::vector<LayerSpec>& layers) {
  const auto count = static_cast<int64_t>(layers.size());
  const int64_t dense = reader.integer(keys.dense_layers, 0, kMaxLayers);
  const int64_t period = std::max<int64_t>(1, reader.integer(keys.period, 1, kMaxLayers));
  for (int64_t i = 0; i < count; ++i) layers[static_cast<size_t>(i)].routed = i >= dense && (i + 1) % period == 0;
  const nlohmann::json* list = reader.convention() == Convention::kHuggingFace ? reader.find(keys.dense_list) : nullptr;
  if (list == nullptr || list->is_null()) return;
  if (!list->is_array()) {
    throw fail<FormatError>("{}: {} is {}; it must be a list of layers", reader.source().path(), keys.dense_list,
                            ConfigReader::shown(*list));
  }
  for (const nlohmann::json& layer : *list) {
    layers[static_cast<size_t>(reader.checked_integer(layer, keys.dense_list, 0, count - 1))].routed = false;
  }
}

}  // namespace

void read_experts(const ConfigReader& reader, const Architecture& architecture, ModelConfig& config) {
  const ExpertRule& keys = architecture.experts;
  const auto experts = static_cast<int>(reader.integer(keys.experts, 0, kernels::kMaxExperts));
  if (experts == 0) return;
  mark_layers(reader, keys, config.layers);
  if (std::ranges::none_of(config.layers, &LayerSpec::routed)) return;
  ExpertsSpec& spec = config.experts;
  spec.rule = read_rule(reader, keys, experts);
  const auto integer = [&](const Key& key, int least) {
    return static_cast<int>(reader.integer(key, least, kMaxWidth));
  };
  spec.intermediate_size = integer(keys.intermediate_size, 1);
  if (spec.intermediate_size == 0) spec.intermediate_size = config.intermediate_size;
  spec.shared_intermediate_size = integer(keys.shared_intermediate_size, 0);
  const auto shared = reader.integer(keys.shared_experts, 0, kernels::kMaxExperts);
  if (shared > 0) {
    spec.shared_intermediate_size = static_cast<int>(std::min<int64_t>(shared * spec.intermediate_size, kMaxWidth));
  }
  if (spec.shared_intermediate_size == 0) {
    spec.shared_intermediate_size = width_in_file(reader, architecture, config.layers);
  }
  spec.shared_gate = keys.shared_gate && spec.shared_intermediate_size > 0;
}

}  // namespace caravel::model
