#include <cmath>

#include "model/arch/architecture.h"

namespace caravel::model {
namespace {

void adjust_gemma2(ModelConfig& config, format::Convention convention) {
  // A GGUF file has no key for query_pre_attn_scalar: head_dim in every size but 27B, which is known by its depth.
  constexpr size_t kLayersOf27B = 46;
  if (convention == format::Convention::kGguf && config.layers.size() == kLayersOf27B) {
    const int width = config.hidden_size / config.num_heads;
    config.attention_scale = 1.0F / std::sqrt(static_cast<float>(width));
  }
}

}  // namespace

/// Gemma 2: norms on both sides of a branch, a window in every other layer, soft-caps on scores and logits, embeddings
/// scaled by sqrt(hidden_size).
constinit const Architecture kGemma2 = {
    .name = "gemma2",
    .gguf_name = "gemma2",
    .hugging_face_names = {"Gemma2ForCausalLM", "Gemma2Model"},
    .hugging_face_types = {"gemma2"},
    .keys =
        {
            .heads = {{"attention.head_count"}, {"num_attention_heads", 8}},
            .kv_heads = {{"attention.head_count_kv", 0}, {"num_key_value_heads", 4}},
            .head_dim = {{"attention.key_length", 0}, {"head_dim", 256}},
            .max_position = {{"context_length"}, {"max_position_embeddings", 8192}},
            .attention_scalar = {{}, {"query_pre_attn_scalar", 256}},
            .attention_soft_cap = {{"attn_logit_softcapping", 50}, {"attn_logit_softcapping", 50}},
            .final_soft_cap = {{"final_logit_softcapping", 30}, {"final_logit_softcapping", 30}},
            .activation = "hidden_activation",
        },
    .windows = {.pattern = WindowRule::Pattern::kAllButEveryNth,
                .window = {{"attention.sliding_window", 4096}, {"sliding_window", 4096}},
                .period = {{"attention.sliding_window_pattern", 2}, {"", 2}},
                .layer_types = true},
    .layer_weights =
        {
            .q_bias = {{}, "model.layers.{}.self_attn.q_proj.bias", true},
            .k_bias = {{}, "model.layers.{}.self_attn.k_proj.bias", true},
            .v_bias = {{}, "model.layers.{}.self_attn.v_proj.bias", true},
            .attn_out_bias = {{}, "model.layers.{}.self_attn.o_proj.bias", true},
            .post_attn_norm = {"blk.{}.post_attention_norm.weight", "model.layers.{}.post_attention_layernorm.weight"},
            .ffn_norm = {"blk.{}.ffn_norm.weight", "model.layers.{}.pre_feedforward_layernorm.weight"},
            .post_ffn_norm = {"blk.{}.post_ffw_norm.weight", "model.layers.{}.post_feedforward_layernorm.weight"},
        },
    .activation = kernels::Activation::kGeluTanh,
    .embedding_scaled = true,
    .norm_adds_one = true,
    .ties_lm_head = true,
    .adjust = adjust_gemma2,
};

}  // namespace caravel::model
