#include <cmath>

#include "model/arch/architecture.h"

namespace caravel::model {
namespace {

void adjust(ModelConfig& config, format::Convention convention) {
  // A GGUF file has no key for query_pre_attn_scalar: head_dim in every size but 27B, which is known by its depth.
  constexpr size_t kLayersOf27B = 62;
  if (convention == format::Convention::kGguf && config.layers.size() == kLayersOf27B) {
    const int width = config.hidden_size / config.num_heads;
    config.attention_scale = 1.0F / std::sqrt(static_cast<float>(width));
  }
}

}  // namespace

/// Gemma 3, the text model: norms on both sides of a branch, five layers with a window and a rotary base of their own
/// to each that sees everything, QK norm, embeddings scaled by sqrt(hidden_size).
constinit const Architecture kGemma3 = {
    .name = "gemma3",
    .gguf_name = "gemma3",
    .hugging_face_names = {"Gemma3ForCausalLM", "Gemma3ForConditionalGeneration", "Gemma3TextModel", "Gemma3Model"},
    .hugging_face_types = {"gemma3_text", "gemma3"},
    .keys =
        {
            .heads = {{"attention.head_count"}, {"num_attention_heads", 8}},
            .kv_heads = {{"attention.head_count_kv", 0}, {"num_key_value_heads", 4}},
            .head_dim = {{"attention.key_length", 0}, {"head_dim", 256}},
            .max_position = {{"context_length"}, {"max_position_embeddings", 131072}},
            .rope_theta = {{"rope.freq_base", 1e6}, {"rope_theta", 1e6}},
            .local_rope_theta = {{"rope.freq_base_swa", 10000}, {"rope_local_base_freq", 10000}},
            .attention_scalar = {{}, {"query_pre_attn_scalar", 256}},
            .final_soft_cap = {{"final_logit_softcapping", 0}, {"final_logit_softcapping", 0}},
            .activation = "hidden_activation",
            .ignored = {"attn_logit_softcapping"},
        },
    .windows = {.pattern = WindowRule::Pattern::kAllButEveryNth,
                .window = {{"attention.sliding_window", 0}, {"sliding_window", 4096}},
                .period = {{"attention.sliding_window_pattern", 6}, {"sliding_window_pattern", 6}},
                .layer_types = true},
    .layer_weights =
        {
            .q_bias = {{}, "model.layers.{}.self_attn.q_proj.bias", true},
            .k_bias = {{}, "model.layers.{}.self_attn.k_proj.bias", true},
            .v_bias = {{}, "model.layers.{}.self_attn.v_proj.bias", true},
            .q_norm = {"blk.{}.attn_q_norm.weight", "model.layers.{}.self_attn.q_norm.weight"},
            .k_norm = {"blk.{}.attn_k_norm.weight", "model.layers.{}.self_attn.k_norm.weight"},
            .attn_out_bias = {{}, "model.layers.{}.self_attn.o_proj.bias", true},
            .post_attn_norm = {"blk.{}.post_attention_norm.weight", "model.layers.{}.post_attention_layernorm.weight"},
            .ffn_norm = {"blk.{}.ffn_norm.weight", "model.layers.{}.pre_feedforward_layernorm.weight"},
            .post_ffn_norm = {"blk.{}.post_ffw_norm.weight", "model.layers.{}.post_feedforward_layernorm.weight"},
        },
    .activation = kernels::Activation::kGeluTanh,
    .embedding_scaled = true,
    .norm_adds_one = true,
    .ties_lm_head = true,
    .adjust = adjust,
};

}  // namespace caravel::model
