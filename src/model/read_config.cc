#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "model/config.h"
#include "model/config_reader.h"
#include "model/latent/read_latent.h"
#include "model/read_experts.h"
#include "model/rotary.h"

namespace caravel::model {
namespace {

using format::Convention;

int vocabulary(const ConfigReader& reader, const Architecture& architecture) {
  const auto stated = static_cast<int>(reader.integer(architecture.keys.vocab_size, 1, kMaxVocabulary));
  if (stated != 0) return stated;
  const std::string_view name = spelled(architecture.model_weights.embedding, reader.convention());
  const format::WeightInfo* embedding = reader.source().find(name);
  if (embedding == nullptr || embedding->shape.size() != 2 || embedding->shape[0] < 1 ||
      embedding->shape[0] > kMaxVocabulary) {
    throw fail<FormatError>("{}: weight {} is missing or is no matrix of [vocabulary, hidden_size]",
                            reader.source().path(), name);
  }
  return static_cast<int>(embedding->shape[0]);
}

/// Which layers have a window, where a list in the file says it for each. Empty: no list.
std::vector<bool> listed_windows(const ConfigReader& reader, const WindowRule& rule, size_t layers) {
  const bool gguf = reader.convention() == Convention::kGguf;
  const std::string_view key = gguf ? rule.period.gguf.key : rule.layer_types ? "layer_types" : "";
  // A GGUF file may have a number there.
  const nlohmann::json* list = gguf ? reader.find(key) : reader.list(key);
  if (list == nullptr || !list->is_array()) return {};
  if (list->size() != layers) {
    throw fail<FormatError>("{}: {} lists {} layers of {}", reader.source().path(), reader.full_key(key), list->size(),
                            layers);
  }
  std::vector<bool> windows;
  for (const nlohmann::json& entry : *list) {
    if (gguf ? entry.is_boolean() : entry == "sliding_attention" || entry == "full_attention") {
      windows.push_back(gguf ? entry.get<bool>() : entry == "sliding_attention");
    } else {
      throw fail<Unsupported>("{}: {} holds {}, a kind of layer that is not supported", reader.source().path(),
                              reader.full_key(key), ConfigReader::shown(entry));
    }
  }
  return windows;
}

std::vector<bool> windowed_layers(const ConfigReader& reader, const WindowRule& rule,
                                  const std::vector<LayerSpec>& layers) {
  std::vector<bool> windows = listed_windows(reader, rule, layers.size());
  if (!windows.empty()) return windows;
  const auto period = static_cast<size_t>(reader.integer(rule.period, 0, kMaxPosition));
  for (size_t layer = 0; layer < layers.size(); ++layer) {
    switch (rule.pattern) {
      case WindowRule::Pattern::kEveryLayer:
        windows.push_back(true);
        break;
      case WindowRule::Pattern::kFromLayer:
        windows.push_back(layer >= period);
        break;
      case WindowRule::Pattern::kEveryOtherBefore:
        windows.push_back(layer < period && layer % 2 == 0);
        break;
      case WindowRule::Pattern::kAllButEveryNth:
        windows.push_back(period == 0 || (layer + 1) % period != 0);
        break;
      case WindowRule::Pattern::kWithoutRotary:
        windows.push_back(layers[layer].rotary < 0);
        break;
    }
  }
  return windows;
}

int window_width(const ConfigReader& reader, const WindowRule& rule) {
  using Pattern = WindowRule::Pattern;
  // SmolLM3's masks follow its list whatever use_sliding_window says (transformers 5.24, but for flash attention).
  const bool listed = rule.layer_types && reader.list("layer_types") != nullptr;
  if (rule.pattern == Pattern::kFromLayer || rule.pattern == Pattern::kEveryOtherBefore ||
      (rule.pattern == Pattern::kWithoutRotary && !listed)) {
    if (!reader.truth("use_sliding_window").value_or(false)) return 0;
  }
  return static_cast<int>(reader.integer(rule.window, 0, kMaxPosition));
}

/// llama.cpp counts layers that nobody reads among the others, behind them.
void count_layers(const ConfigReader& reader, const ConfigKeys& keys, ModelConfig& config) {
  auto count = static_cast<int>(reader.integer(keys.layers, 1, kMaxLayers));
  const bool among = reader.convention() == Convention::kGguf;
  config.unread_layers = static_cast<int>(reader.integer(keys.unread_layers, 0, among ? count - 1 : kMaxLayers));
  if (among) count -= config.unread_layers;
  config.layers.resize(static_cast<size_t>(count));
  if (config.unread_layers == 0) return;
  config.decisions.push_back({"layers behind the last", fmt::format("ignored: {}", config.unread_layers),
                              "they guess at tokens after the next"});
}

/// All layers, those without a rotary embedding marked.
std::vector<LayerSpec> rotated_layers(const ConfigReader& reader, const RotaryRule& rule, size_t count) {
  std::vector<LayerSpec> layers(count);
  const nlohmann::json* list =
      reader.convention() == Convention::kHuggingFace ? reader.find(rule.list_of_rotated) : nullptr;
  if (list != nullptr && !list->is_null()) {
    const std::string name(rule.list_of_rotated);
    if (!list->is_array() || list->size() < count) {
      throw fail<FormatError>("{}: {} is {}; it must be a list of {} numbers, one for each layer",
                              reader.source().path(), name, ConfigReader::shown(*list), count);
    }
    for (size_t i = 0; i < count; ++i) {
      const nlohmann::json& entry = (*list)[i];
      const bool rotated = entry.is_boolean() ? entry.get<bool>() : reader.checked_integer(entry, name, 0, 1) != 0;
      if (!rotated) layers[i].rotary = -1;
    }
    return layers;
  }
  if (reader.convention() == Convention::kGguf && reader.truth(rule.gguf_switch) == false) {
    for (LayerSpec& layer : layers) layer.rotary = -1;
    return layers;
  }
  const auto period = static_cast<size_t>(reader.integer(rule.period, 1, kMaxPosition));
  for (size_t i = 0; i < count; ++i) {
    if (period != 0 && (i + 1) % period == 0) layers[i].rotary = -1;
  }
  return layers;
}

std::vector<LayerSpec> read_layers(const ConfigReader& reader, const Architecture& architecture, size_t count,
                                   bool local_rotary) {
  const int window = window_width(reader, architecture.windows);
  std::vector<LayerSpec> layers = rotated_layers(reader, architecture.rotary_layers, count);
  // A GGUF file without a window has no local layers at all; a Hugging Face folder may have them, with the local
  // rotary base and no window.
  if (window == 0 && (reader.convention() == Convention::kGguf || !local_rotary)) return layers;
  const std::vector<bool> windows = windowed_layers(reader, architecture.windows, layers);
  for (size_t i = 0; i < count; ++i) {
    if (!windows[i]) continue;
    layers[i].window = window;
    if (local_rotary) layers[i].rotary = 1;
  }
  return layers;
}

/// A folder of a class without a head: LlamaModel, not GPT2LMHeadModel.
bool is_headless_class(const format::WeightSource& source) {
  const auto listed = source.config().find("architectures");
  if (listed == source.config().end() || !listed->is_array() || listed->empty() || !listed->front().is_string()) {
    return false;
  }
  const auto& name = listed->front().get_ref<const std::string&>();
  return name.ends_with("Model") && !name.ends_with("LMHeadModel");
}

bool lm_head_is_tied(const ConfigReader& reader, const Architecture& architecture, std::vector<Decision>& decisions) {
  const std::string_view name = spelled(architecture.model_weights.lm_head, reader.convention());
  const bool there = reader.source().find(name) != nullptr;
  if (reader.convention() == Convention::kGguf) return !there;
  const std::optional<bool> tie = reader.truth("tie_word_embeddings");
  if (tie == true) return true;
  if (there) return false;
  if (is_headless_class(reader.source())) {
    decisions.push_back({"LM head", "the embedding", "the folder has none (a base model): good for embeddings alone"});
    return true;
  }
  if (tie == false) {
    throw fail<FormatError>("{}: weight {} is missing, and tie_word_embeddings is false", reader.source().path(), name);
  }
  decisions.push_back({"LM head", "the embedding", fmt::format("there is no {}", name)});
  return true;
}

/// That a key, where it is there, has the one value that is supported.
template <typename Value>
void check_fixed(const ConfigReader& reader, const Architecture& architecture, std::string_view key,
                 const Value& wanted) {
  const nlohmann::json* value = reader.find(key);
  if (value == nullptr || *value == wanted) return;
  // A null is false, as in Python; of numbers and texts it says nothing.
  if constexpr (std::is_same_v<Value, bool>) {
    if (value->is_null() && !wanted) return;
  } else {
    if (value->is_null()) return;
  }
  throw fail<Unsupported>("{}: {} is {}; of {} models those where it is {} are supported", reader.source().path(),
                          reader.full_key(key), ConfigReader::shown(*value), architecture.name, wanted);
}

/// What the file asks for and no kernel does, and what it says that nobody computes with.
void check_unread(const ConfigReader& reader, const Architecture& architecture, std::vector<Decision>& decisions) {
  if (reader.convention() != Convention::kHuggingFace) {
    for (const FixedNumber& fixed : architecture.fixed_numbers) {
      check_fixed(reader, architecture, fixed.gguf_key, fixed.value);
    }
    return;
  }
  if (reader.truth("use_bidirectional_attention") == true) {
    throw fail<Unsupported>("{}: use_bidirectional_attention is true; Caravel's attention is causal",
                            reader.source().path());
  }
  for (const FixedSwitch& fixed : architecture.fixed_switches) {
    check_fixed(reader, architecture, fixed.key, fixed.value);
  }
  for (const FixedNumber& fixed : architecture.fixed_numbers) {
    check_fixed(reader, architecture, fixed.key, fixed.value);
  }
  for (const FixedText& fixed : architecture.fixed_texts) {
    check_fixed(reader, architecture, fixed.key, fixed.value);
  }
  const auto ignored = [&](std::string_view key) {
    const nlohmann::json* value = reader.find(key);
    if (value == nullptr || value->is_null()) return;
    decisions.push_back({std::string(key), "ignored: " + ConfigReader::shown(*value),
                         "transformers computes nothing with it in this architecture"});
  };
  for (const std::string_view key : architecture.keys.ignored) {
    if (!key.empty()) ignored(key);
  }
  const nlohmann::json* partial = reader.find("partial_rotary_factor");
  if (!architecture.partial_rotary && partial != nullptr && *partial != 1) ignored("partial_rotary_factor");
  std::ranges::move(unread_rotary_keys(reader, architecture), std::back_inserter(decisions));
}

/// Where each branch is multiplied by m before it joins, the residual stream is kept divided by m: then branches join
/// as they are, and a norm gives the same of x / m with an epsilon divided by m squared. So the multiplier costs
/// neither an operation nor a rounding, whatever the weights' type and the device. It would not do for a norm of
/// anything else.
void divide_residual_stream(const Architecture& architecture, double multiplier, ModelConfig& config) {
  const LayerWeightNames& names = architecture.layer_weights;
  for (const WeightName* norm : {&names.q_norm, &names.k_norm, &names.post_attn_norm, &names.post_ffn_norm}) {
    CARAVEL_CHECK(norm->gguf.empty() && norm->hugging_face.empty());
  }
  config.embedding_scale = static_cast<float>(config.embedding_scale / multiplier);
  config.norm_epsilon = static_cast<float>(config.norm_epsilon / (multiplier * multiplier));
}

/// The layers' rotary embedding and its scaling, in words.
void describe_rotary(const ModelConfig& config, const std::string& why, std::vector<Decision>& decisions) {
  const char* const names[] = {"rotary scaling", "  of windowed layers"};
  for (size_t i = 0; i < config.rotary.size(); ++i) {
    const RotarySpec& spec = config.rotary[i];
    decisions.push_back({names[i], spec.scaling, spec.given ? "given" : why, "--rope-scaling"});
  }
}

void read_rotary_layers(const ConfigReader& reader, const Architecture& architecture, const std::string& scaling,
                        ModelConfig& config) {
  const int rotated = config.latent ? config.latent.rotary_dim : config.head_dim;
  config.rotary = read_rotary(reader, architecture, rotated, config.max_position, scaling);
  config.attention_scale *= config.rotary[0].score_factor;
  config.max_position =
      std::max(config.max_position, static_cast<int>(std::min<double>(config.rotary[0].reach, kMaxPosition)));
  config.layers = read_layers(reader, architecture, config.layers.size(), config.rotary.size() > 1);
  // Where no layer has a window, none has the rotary embedding of those that do.
  if (std::ranges::all_of(config.layers, [](const LayerSpec& layer) { return layer.rotary == 0; })) {
    config.rotary.resize(1);
  }
  const bool gguf = reader.convention() == Convention::kGguf;
  describe_rotary(config, gguf ? "the file's rope keys" : "config.json", config.decisions);
}

void check_embedding_size(const ConfigReader& reader, const ConfigKeys& keys, int hidden_size) {
  const int64_t size = reader.integer(keys.embedding_size, 0, kMaxWidth);
  if (size == 0 || size == hidden_size) return;
  const auto named = [&](const Key& key) { return reader.full_key(spelled(key, reader.convention()).key); };
  throw fail<Unsupported>("{}: {} is {} and {} is {}; embeddings of another width than the layers' are not supported",
                          reader.source().path(), named(keys.embedding_size), size, named(keys.hidden_size),
                          hidden_size);
}

void read_heads(const ConfigReader& reader, const ConfigKeys& keys, ModelConfig& config) {
  const format::WeightSource& source = reader.source();
  const auto named = [&](const Key& key) { return reader.full_key(spelled(key, reader.convention()).key); };
  config.num_kv_heads = static_cast<int>(reader.integer(keys.kv_heads, 1, kMaxHeads));
  if (config.num_kv_heads == 0) config.num_kv_heads = config.num_heads;
  if (config.num_heads % config.num_kv_heads != 0) {
    throw fail<FormatError>("{}: {} is {} and {} is {}; the heads must be a multiple of the key-value heads",
                            source.path(), named(keys.heads), config.num_heads, named(keys.kv_heads),
                            config.num_kv_heads);
  }
  config.head_dim = static_cast<int>(reader.integer(keys.head_dim, 1, kMaxWidth));
  if (config.head_dim == 0) {
    if (config.hidden_size % config.num_heads != 0) {
      throw fail<FormatError>("{}: {} is {}, no multiple of {} heads, and no {} is given", source.path(),
                              named(keys.hidden_size), config.hidden_size, config.num_heads, named(keys.head_dim));
    }
    config.head_dim = config.hidden_size / config.num_heads;
  }
  const int64_t value_dim = reader.integer({{"attention.value_length", config.head_dim}, {}}, 1, kMaxWidth);
  if (reader.convention() == Convention::kGguf && value_dim != config.head_dim) {
    throw fail<Unsupported>("{}: {} is {}, and heads have {} elements; those of values must be as wide", source.path(),
                            reader.full_key("attention.value_length"), value_dim, config.head_dim);
  }
  if (config.head_dim > kernels::kMaxHeadDim || config.head_dim % 2 != 0) {
    throw fail<Unsupported>("{}: heads of {} elements ({}) are not supported; even numbers up to {} are", source.path(),
                            config.head_dim, named(keys.head_dim), kernels::kMaxHeadDim);
  }
}

}  // namespace

ModelConfig read_config(const format::WeightSource& source, const std::string& rope_scaling) {
  const Architecture& architecture = find_architecture(source);
  const ConfigKeys& keys = architecture.keys;
  const ConfigReader reader(source, architecture);
  const auto integer = [&](const Key& key, int max) { return static_cast<int>(reader.integer(key, 1, max)); };

  ModelConfig config;
  config.architecture = architecture.name;
  config.name = model_name(source);
  config.hidden_size = integer(keys.hidden_size, kMaxWidth);
  check_embedding_size(reader, keys, config.hidden_size);
  config.intermediate_size = integer(keys.intermediate_size, kMaxWidth);
  if (config.intermediate_size == 0) config.intermediate_size = 4 * config.hidden_size;
  config.num_heads = integer(keys.heads, kMaxHeads);
  config.vocab_size = vocabulary(reader, architecture);
  config.max_position = integer(keys.max_position, kMaxPosition);
  config.norm_epsilon = static_cast<float>(reader.number(keys.norm_epsilon, 1e-20, 1));
  read_latent(reader, architecture, config);
  if (!config.latent) read_heads(reader, keys, config);

  const double scalar = reader.number(keys.attention_scalar, 1e-3, 1e6);
  const int query_dim = config.latent ? config.latent.nope_dim + config.latent.rotary_dim : config.head_dim;
  config.attention_scale = static_cast<float>(1 / std::sqrt(scalar > 0 ? scalar : query_dim));
  config.embedding_scale = architecture.embedding_scaled ? std::sqrt(static_cast<float>(config.hidden_size)) : 1.0F;
  if (const double multiplier = reader.number(keys.attention_multiplier, 1e-6, 1e6); multiplier > 0) {
    config.attention_scale = static_cast<float>(multiplier);
  }
  if (const double multiplier = reader.number(keys.embedding_multiplier, 1e-6, 1e6); multiplier > 0) {
    config.embedding_scale = static_cast<float>(multiplier);
  }
  if (const double multiplier = reader.number(keys.residual_multiplier, 1e-3, 1e3); multiplier > 0) {
    divide_residual_stream(architecture, multiplier, config);
  }
  if (const double divisor = reader.number(keys.logits_divisor, 1e-6, 1e6); divisor > 0) {
    config.logits_scale = static_cast<float>(1 / divisor);
  }
  config.attention_soft_cap = static_cast<float>(reader.number(keys.attention_soft_cap, 0, 1e6));
  config.final_soft_cap = static_cast<float>(reader.number(keys.final_soft_cap, 0, 1e6));
  config.activation = read_activation(reader, architecture);

  const bool gguf = source.convention() == Convention::kGguf;
  config.rotary_style = gguf ? architecture.gguf_rotary_style : architecture.hugging_face_rotary_style;
  config.layer_norm = architecture.layer_norm;
  config.first_position = architecture.first_position;
  config.qk_norm_rows = architecture.qk_norm_rows;
  config.norm_adds_one = !gguf && architecture.norm_adds_one;
  check_unread(reader, architecture, config.decisions);
  config.tied_lm_head = lm_head_is_tied(reader, architecture, config.decisions);
  count_layers(reader, keys, config);
  if (spelled(architecture.model_weights.positions, source.convention()).empty()) {
    read_rotary_layers(reader, architecture, rope_scaling, config);
  } else {
    if (!rope_scaling.empty() && rope_scaling != "none") {
      throw fail<InvalidArgument>("rope_scaling: {} has learned positions and no rotary embedding", config.name);
    }
    config.layers = read_layers(reader, architecture, config.layers.size(), false);
    for (LayerSpec& layer : config.layers) layer.rotary = -1;
  }
  read_experts(reader, architecture, config);
  if (architecture.adjust != nullptr) architecture.adjust(config, source.convention());
  return config;
}

}  // namespace caravel::model
