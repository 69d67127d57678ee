#include "model/arch/architecture.h"

namespace caravel::model {

/// OLMo 2: no norm before a branch but one behind it, before it joins the residual stream; QK norm over all heads.
/// llama.cpp's converter writes "olmo2" for OLMo 3 as well, whose windowed layers are rotated without the scaling of
/// the others: in a file without windows there are no such layers.
constinit const Architecture kOlmo2 = {
    .name = "olmo2",
    .gguf_name = "olmo2",
    .hugging_face_names = {"Olmo2ForCausalLM", "Olmo2Model"},
    .hugging_face_types = {"olmo2"},
    .keys =
        {
            .max_position = {{"context_length"}, {"max_position_embeddings", 2048}},
            .norm_epsilon = {{"attention.layer_norm_rms_epsilon"}, {"rms_norm_eps", 1e-5}},
            .local_rope_theta = {{"rope.freq_base", 10000}, {}},
        },
    .windows = {.pattern = WindowRule::Pattern::kAllButEveryNth,
                .window = {{"attention.sliding_window", 0}, {}},
                .period = {{"attention.sliding_window_pattern", 4}, {}}},
    .layer_weights =
        {
            .attn_norm = {},
            .q_bias = {{}, "model.layers.{}.self_attn.q_proj.bias", true},
            .k_bias = {{}, "model.layers.{}.self_attn.k_proj.bias", true},
            .v_bias = {{}, "model.layers.{}.self_attn.v_proj.bias", true},
            .q_norm = {"blk.{}.attn_q_norm.weight", "model.layers.{}.self_attn.q_norm.weight"},
            .k_norm = {"blk.{}.attn_k_norm.weight", "model.layers.{}.self_attn.k_norm.weight"},
            .attn_out_bias = {{}, "model.layers.{}.self_attn.o_proj.bias", true},
            .post_attn_norm = {"blk.{}.post_attention_norm.weight", "model.layers.{}.post_attention_layernorm.weight"},
            .ffn_norm = {},
            .post_ffn_norm = {"blk.{}.post_ffw_norm.weight", "model.layers.{}.post_feedforward_layernorm.weight"},
        },
    .qk_norm_rows = true,
};

}  // namespace caravel::model
