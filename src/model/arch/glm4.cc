#include "model/arch/architecture.h"

namespace caravel::model {

/// GLM-4 of 2025 (0414): norms on both sides of a branch, gate and up in one matrix, half of a head rotated in pairs of
/// neighbours, biases on Q, K and V in some sizes.
constinit const Architecture kGlm4 = {
    .name = "glm4",
    .gguf_name = "glm4",
    .hugging_face_names = {"Glm4ForCausalLM", "Glm4Model"},
    .hugging_face_types = {"glm4"},
    .keys =
        {
            .kv_heads = {{"attention.head_count_kv", 0}, {"num_key_value_heads", 2}},
            .head_dim = {{"attention.key_length", 0}, {"head_dim", 128}},
            .max_position = {{"context_length"}, {"max_position_embeddings", 131072}},
            .norm_epsilon = {{"attention.layer_norm_rms_epsilon"}, {"rms_norm_eps", 1.5625e-7}},
        },
    .layer_weights =
        {
            .q_bias = {"blk.{}.attn_q.bias", "model.layers.{}.self_attn.q_proj.bias", true},
            .k_bias = {"blk.{}.attn_k.bias", "model.layers.{}.self_attn.k_proj.bias", true},
            .v_bias = {"blk.{}.attn_v.bias", "model.layers.{}.self_attn.v_proj.bias", true},
            .post_attn_norm = {"blk.{}.post_attention_norm.weight", "model.layers.{}.post_self_attn_layernorm.weight"},
            .gate = {},
            .up = {},
            .gate_up = {"blk.{}.ffn_up.weight", "model.layers.{}.mlp.gate_up_proj.weight"},
            .post_ffn_norm = {"blk.{}.post_ffw_norm.weight", "model.layers.{}.post_mlp_layernorm.weight"},
        },
    .gguf_rotary_style = kernels::RotaryStyle::kInterleaved,
    .hugging_face_rotary_style = kernels::RotaryStyle::kInterleaved,
    .partial_rotary = 0.5,
};

}  // namespace caravel::model
