#include "model/arch/architecture.h"

namespace caravel::model {

/// GLM-4 of 2024 (glm-4-9b-chat-hf, GLM-Edge), which transformers calls Glm and llama.cpp chatglm: as glm4 without
/// norms behind the branches. Where ChatGLM's own folder was converted, Q, K and V are one tensor; of transformers'
/// folder llama.cpp's converter (of llama-cpp-python 0.3.36) reads neither rope_theta nor rms_norm_eps.
constinit const Architecture kGlm = {
    .name = "glm",
    .gguf_name = "chatglm",
    .hugging_face_names = {"GlmForCausalLM", "GlmModel"},
    .hugging_face_types = {"glm"},
    .keys =
        {
            .kv_heads = {{"attention.head_count_kv", 0}, {"num_key_value_heads", 2}},
            .head_dim = {{"attention.key_length", 0}, {"head_dim", 128}},
            .max_position = {{"context_length"}, {"max_position_embeddings", 131072}},
            .norm_epsilon = {{"attention.layer_norm_rms_epsilon"}, {"rms_norm_eps", 1.5625e-7}},
        },
    .layer_weights =
        {
            .qkv = {"blk.{}.attn_qkv.weight", {}},
            .q_bias = {"blk.{}.attn_q.bias", "model.layers.{}.self_attn.q_proj.bias", true},
            .k_bias = {"blk.{}.attn_k.bias", "model.layers.{}.self_attn.k_proj.bias", true},
            .v_bias = {"blk.{}.attn_v.bias", "model.layers.{}.self_attn.v_proj.bias", true},
            .qkv_bias = {"blk.{}.attn_qkv.bias", {}, true},
            .gate = {},
            .up = {},
            .gate_up = {"blk.{}.ffn_up.weight", "model.layers.{}.mlp.gate_up_proj.weight"},
        },
    .gguf_rotary_style = kernels::RotaryStyle::kInterleaved,
    .hugging_face_rotary_style = kernels::RotaryStyle::kInterleaved,
    .partial_rotary = 0.5,
};

}  // namespace caravel::model
