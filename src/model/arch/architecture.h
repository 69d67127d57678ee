#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "format/weight_source.h"
#include "model/config.h"

namespace caravel::model {

/// A number of the configuration as one convention spells it. Empty: the convention has no such key. Without a fallback
/// the key must be there; an empty one is always at its fallback, and without one at 0.
struct Spelling {
  std::string_view key;  // GGUF: what follows "<architecture>."
  std::optional<double> fallback;
  std::string_view also;  // another name for it, which some files have instead
};
struct Key {
  Spelling gguf;
  Spelling hugging_face;
};

/// A fallback of 0 says: derived from the others (head_dim from hidden_size, kv_heads from heads, intermediate_size as
/// four times hidden_size), or off.
struct ConfigKeys {
  Key layers = {{"block_count"}, {"num_hidden_layers"}};
  Key unread_layers = {};  // behind these: they guess at tokens after the next, and nobody runs them here
  Key hidden_size = {{"embedding_length"}, {"hidden_size"}};
  Key intermediate_size = {{"feed_forward_length"}, {"intermediate_size"}};
  Key embedding_size = {};  // where it is given, another than hidden_size is refused
  Key heads = {{"attention.head_count"}, {"num_attention_heads"}};
  Key kv_heads = {{"attention.head_count_kv", 0}, {"num_key_value_heads", 0}};
  Key head_dim = {{"attention.key_length", 0}, {"head_dim", 0}};
  Key vocab_size = {{"vocab_size", 0}, {"vocab_size", 0}};  // 0: the embedding's rows
  Key max_position = {{"context_length"}, {"max_position_embeddings"}};
  Key norm_epsilon = {{"attention.layer_norm_rms_epsilon"}, {"rms_norm_eps", 1e-6}};
  Key rope_theta = {{"rope.freq_base", 10000}, {"rope_theta", 10000}};
  /// Tokens that the model was made for before its rotary embedding was stretched. Where it is 0: what the scaling's
  /// own object says, else max_position.
  Key original_context = {{"rope.scaling.original_context_length", 0}, {"original_max_position_embeddings", 0}};
  Key local_rope_theta = {};  // a second rotary base, for the layers with a window
  /// How queries grow with the position (RotarySpec::query_growth). Hugging Face: among the rotary parameters.
  Key query_growth = {};
  Key attention_scalar = {};      // scores are divided by its square root; absent: head_dim
  Key attention_multiplier = {};  // scores are multiplied by it; 0 or absent: attention_scalar says
  Key embedding_multiplier = {};  // embeddings are; 0 or absent: embedding_scaled says
  Key residual_multiplier = {};   // what each branch gives is, before it joins the residual stream; 0 or absent: by 1
  Key logits_divisor = {};        // logits are divided by it; 0 or absent: by 1
  Key attention_soft_cap = {};
  Key final_soft_cap = {};
  std::string_view activation = "hidden_act";  // Hugging Face alone says it
  /// Numbers of a Hugging Face folder that transformers takes from the file and computes nothing with.
  std::array<std::string_view, 2> ignored = {};
};

/// Of a Hugging Face folder: a switch that has this value in every model that is supported; with the other its class
/// computes something else.
struct FixedSwitch {
  std::string_view key;
  bool value = false;
};

/// The same of a number that a kernel has within it, or of a text; of a GGUF file too, where that has a key for it.
struct FixedNumber {
  std::string_view key;
  double value = 0;
  std::string_view gguf_key = {};
};
struct FixedText {
  std::string_view key;
  std::string_view value;
};

/// Which layers see a window alone, and how wide it is.
struct WindowRule {
  enum class Pattern : uint8_t {
    kEveryLayer,
    kFromLayer,         // layers `period` and later, where use_sliding_window is true
    kEveryOtherBefore,  // the first, third, ... of the layers before `period`, where use_sliding_window is true
    kAllButEveryNth,    // the last of each `period` layers sees everything
    kWithoutRotary,     // layers without a rotary embedding (RotaryRule), where use_sliding_window is true
  };
  Pattern pattern = Pattern::kEveryLayer;
  Key window = {};  // tokens; 0: none
  Key period = {};
  bool layer_types = false;  // Hugging Face's list of the layers' types, where there, wins over the pattern
};

/// Which layers have no rotary embedding.
struct RotaryRule {
  Key period = {};                   // the last of each `period` layers; 0: none
  std::string_view list_of_rotated;  // a Hugging Face folder's, where there, wins: 0 for each layer without
  std::string_view gguf_switch;      // a GGUF file's: where it is false, no layer has one
};

/// Where a model says what experts it has (ExpertsSpec), which layers have them, and what of that no file says.
struct ExpertRule {
  Key experts = {};  // 0: it has none
  Key per_token = {{"expert_used_count"}, {"num_experts_per_tok"}};
  Key intermediate_size = {};         // of each; 0: ConfigKeys::intermediate_size
  Key shared_experts = {};            // that every token has, each as wide as the others
  Key shared_intermediate_size = {};  // of all that every token has, where it is said so
  Key groups = {};
  Key chosen_groups = {};
  Key scale = {{"expert_weights_scale", 0}, {}};  // 0: 1
  Key renormalized = {};                          // true or false
  std::string_view group_method = {};             // Hugging Face: a text; "greedy" or absent: groups count for nothing
  Key dense_layers = {};                          // as many of the first layers have no router
  Key period = {};                                // of each `period` layers the last alone has a router
  std::string_view dense_list = {};               // Hugging Face: a list of layers without a router
  kernels::RouterRule::Score score = kernels::RouterRule::Score::kSoftmax;
  kernels::RouterRule::GroupScore group_score = kernels::RouterRule::GroupScore::kLargest;
  bool shared_gate = false;
  /// A GGUF file says whether the score is softmax or sigmoid, whose groups then are as good as their two best.
  bool score_in_file = false;
};

/// Where a model says how it compresses keys and values (LatentSpec). Where the first is empty, it does not.
struct LatentRule {
  Key latent_dim = {};
  Key query_latent_dim = {};
  Key nope_dim = {};   // a folder's
  Key query_dim = {};  // a GGUF file's: nope_dim and rotary_dim together
  Key rotary_dim = {};
  Key value_dim = {};
  std::optional<double> norm_epsilon;  // a folder's class has this for the latents, whatever the other norms' is
};

/// A weight in both conventions; "{}" stands for the layer's number. Empty: the architecture does not have it.
struct WeightName {
  std::string_view gguf;
  std::string_view hugging_face;
  bool optional = false;  // may be absent from a file
};

struct ModelWeightNames {
  WeightName embedding = {"token_embd.weight", "model.embed_tokens.weight"};
  WeightName positions = {};  // learned ones, [positions, hidden]: such a model has no rotary embedding
  WeightName final_norm = {"output_norm.weight", "model.norm.weight"};
  WeightName final_norm_bias = {};
  WeightName lm_head = {"output.weight", "lm_head.weight", true};  // absent: tied to the embedding
};

struct LayerWeightNames {
  WeightName attn_norm = {"blk.{}.attn_norm.weight", "model.layers.{}.input_layernorm.weight"};
  WeightName attn_norm_bias = {};
  WeightName q = {"blk.{}.attn_q.weight", "model.layers.{}.self_attn.q_proj.weight"};
  WeightName k = {"blk.{}.attn_k.weight", "model.layers.{}.self_attn.k_proj.weight"};
  WeightName v = {"blk.{}.attn_v.weight", "model.layers.{}.self_attn.v_proj.weight"};
  WeightName qkv = {};  // the rows of Q, K and V in one: where a file has it, in their place
  WeightName q_bias = {};
  WeightName k_bias = {};
  WeightName v_bias = {};
  WeightName qkv_bias = {};  // as qkv
  WeightName q_norm = {};
  WeightName k_norm = {};
  WeightName attn_out = {"blk.{}.attn_output.weight", "model.layers.{}.self_attn.o_proj.weight"};
  WeightName attn_out_bias = {};
  WeightName sinks = {};  // of each head of queries: PagedAttentionArgs::sinks
  WeightName post_attn_norm = {};
  WeightName ffn_norm = {"blk.{}.ffn_norm.weight", "model.layers.{}.post_attention_layernorm.weight"};
  WeightName ffn_norm_bias = {};
  WeightName gate = {"blk.{}.ffn_gate.weight", "model.layers.{}.mlp.gate_proj.weight"};
  WeightName gate_bias = {};
  WeightName up = {"blk.{}.ffn_up.weight", "model.layers.{}.mlp.up_proj.weight"};
  WeightName up_bias = {};
  WeightName gate_up = {};  // the rows of gate and up in one, as qkv
  WeightName down = {"blk.{}.ffn_down.weight", "model.layers.{}.mlp.down_proj.weight"};
  WeightName down_bias = {};
  WeightName post_ffn_norm = {};
};

/// Of a layer whose keys and values are compressed. `q` is there where queries have no latent. keys_up and values_up
/// are [heads, latent, nope] and [heads, value, latent]; keys_values_up is both in one, [heads, nope + value; latent]:
/// where a file has not the former.
struct LatentWeightNames {
  WeightName q_down = {"blk.{}.attn_q_a.weight", "model.layers.{}.self_attn.q_a_proj.weight"};
  WeightName q_norm = {"blk.{}.attn_q_a_norm.weight", "model.layers.{}.self_attn.q_a_layernorm.weight"};
  WeightName q_up = {"blk.{}.attn_q_b.weight", "model.layers.{}.self_attn.q_b_proj.weight"};
  WeightName down = {"blk.{}.attn_kv_a_mqa.weight", "model.layers.{}.self_attn.kv_a_proj_with_mqa.weight"};
  WeightName norm = {"blk.{}.attn_kv_a_norm.weight", "model.layers.{}.self_attn.kv_a_layernorm.weight"};
  WeightName keys_up = {"blk.{}.attn_k_b.weight", {}};
  WeightName values_up = {"blk.{}.attn_v_b.weight", {}};
  WeightName keys_values_up = {"blk.{}.attn_kv_b.weight", "model.layers.{}.self_attn.kv_b_proj.weight"};
};

/// Of a layer with a router. A name of experts' weights with a second "{}" is of each alone, by its number; one without
/// is of all together, [experts, out, in].
struct ExpertWeightNames {
  WeightName router = {"blk.{}.ffn_gate_inp.weight", "model.layers.{}.mlp.gate.weight"};
  WeightName router_bias = {};
  WeightName choice_bias = {};
  WeightName gate = {"blk.{}.ffn_gate_exps.weight", "model.layers.{}.mlp.experts.{}.gate_proj.weight"};
  WeightName up = {"blk.{}.ffn_up_exps.weight", "model.layers.{}.mlp.experts.{}.up_proj.weight"};
  WeightName down = {"blk.{}.ffn_down_exps.weight", "model.layers.{}.mlp.experts.{}.down_proj.weight"};
  // The same where gate and up are one weight, as some files have it: of each expert gate's rows, then up's.
  WeightName joined = {"blk.{}.ffn_gate_up_exps.weight", "model.layers.{}.mlp.experts.gate_up_proj"};
  WeightName beside_joined = {"blk.{}.ffn_down_exps.weight", "model.layers.{}.mlp.experts.down_proj"};  // down
  // Biases of all experts together, [experts, out]; joined_bias beside `joined`, as its rows lie.
  WeightName gate_bias = {};
  WeightName up_bias = {};
  WeightName joined_bias = {};
  WeightName down_bias = {};
  // What every token has; shared_joined is the rows of shared_gate, then those of shared_up, where a file has it so.
  WeightName shared_joined = {};
  WeightName shared_gate = {"blk.{}.ffn_gate_shexp.weight", "model.layers.{}.mlp.shared_experts.gate_proj.weight"};
  WeightName shared_up = {"blk.{}.ffn_up_shexp.weight", "model.layers.{}.mlp.shared_experts.up_proj.weight"};
  WeightName shared_down = {"blk.{}.ffn_down_shexp.weight", "model.layers.{}.mlp.shared_experts.down_proj.weight"};
  WeightName shared_router = {"blk.{}.ffn_gate_inp_shexp.weight", "model.layers.{}.mlp.shared_expert_gate.weight"};
};

/// An architecture as a table (docs/adding-an-architecture.md). What is left out is as in Llama.
struct Architecture {
  std::string_view name;
  std::string_view gguf_name;  // general.architecture; empty: there are no such files
  /// Entries of `architectures`: the language model, then other classes whose text part is the same.
  std::array<std::string_view, 4> hugging_face_names;
  std::array<std::string_view, 2> hugging_face_types;  // model_type, where `architectures` is absent
  ConfigKeys keys;
  WindowRule windows;
  RotaryRule rotary_layers;
  ModelWeightNames model_weights;
  LayerWeightNames layer_weights;
  std::array<FixedSwitch, 4> fixed_switches;
  std::array<FixedNumber, 2> fixed_numbers;
  std::array<FixedText, 2> fixed_texts;
  LatentRule latent;
  LatentWeightNames latent_weights;
  ExpertRule experts;
  ExpertWeightNames expert_weights;
  kernels::Activation activation = kernels::Activation::kSilu;
  kernels::RotaryStyle gguf_rotary_style = kernels::RotaryStyle::kHalves;
  kernels::RotaryStyle hugging_face_rotary_style = kernels::RotaryStyle::kHalves;
  bool embedding_scaled = false;  // by sqrt(hidden_size)
  /// In a Hugging Face folder, of a class that reads partial_rotary_factor: what it is where the folder does not say
  /// it.
  std::optional<double> partial_rotary;
  /// Of a Hugging Face folder without a key for it, what its class takes for rope_parameters, as JSON.
  std::string_view default_rotary;
  bool layer_norm = false;      // its norms are LayerNorm, each with a bias
  int first_position = 0;       // of learned positions, the row of a sequence's first token
  bool by_columns = false;      // in a Hugging Face folder layers' matrices are stored as [in, out] (GPT-2's Conv1D)
  bool joined_in_turn = false;  // in a Hugging Face folder: rows of gate and up in ExpertWeightNames::joined
  bool experts_by_columns = false;  // there: it and what is beside it are [experts, in, out], unless quantised
  bool yarn_truncates = true;       // of a GGUF file: YarnScaling::truncate, of which it has no key
  bool qk_norm_rows = false;        // q_norm and k_norm norm all heads of Q, or of K, as one row
  bool norm_adds_one = false;       // in a Hugging Face folder; a GGUF file's norms hold 1 + w
  bool ties_lm_head = false;        // where neither a config.json nor weights say
  /// What no key of the convention says; runs last. May be nullptr.
  void (*adjust)(ModelConfig& config, format::Convention convention) = nullptr;
};

extern const Architecture kLlama;
extern const Architecture kMistral;
extern const Architecture kMinistral3;
extern const Architecture kQwen2;
extern const Architecture kQwen3;
extern const Architecture kPhi3;
extern const Architecture kSmolLm3;
extern const Architecture kGranite;
extern const Architecture kGlm;
extern const Architecture kGlm4;
extern const Architecture kGemma2;
extern const Architecture kGemma3;
extern const Architecture kOlmo2;
extern const Architecture kOlmo3;
extern const Architecture kGpt2;
extern const Architecture kOpt;
extern const Architecture kDeepSeekV2;
extern const Architecture kDeepSeekV3;
extern const Architecture kGlm4Moe;
extern const Architecture kGptOss;
extern const Architecture kGraniteMoe;
extern const Architecture kMiniMaxM2;
extern const Architecture kMixtral;
extern const Architecture kOlmoe;
extern const Architecture kQwen2Moe;
extern const Architecture kQwen3Moe;

/// An encoder's: its weights have names of their own (encoder_weights.h), and find_architecture() does not give it.
extern const Architecture kBert;

/// The source names an encoder's class.
bool names_encoder(const format::WeightSource& source);

/// The one that a source names. Throws Unsupported, which lists those there are; FormatError where none is named.
const Architecture& find_architecture(const format::WeightSource& source);

/// By ModelConfig::architecture (a CHECK).
const Architecture& architecture_named(std::string_view name);

inline std::string_view spelled(const WeightName& name, format::Convention convention) {
  return convention == format::Convention::kGguf ? name.gguf : name.hugging_face;
}
inline const Spelling& spelled(const Key& key, format::Convention convention) {
  return convention == format::Convention::kGguf ? key.gguf : key.hugging_face;
}

}  // namespace caravel::model
