#include "model/arch/architecture.h"

namespace caravel::model {

/// SmolLM3: a Llama of which every fourth layer has no rotary embedding. No key of a GGUF file says which; llama.cpp
/// knows it by the architecture's name.
constinit const Architecture kSmolLm3 = {
    .name = "smollm3",
    .gguf_name = "smollm3",
    .hugging_face_names = {"SmolLM3ForCausalLM", "SmolLM3Model"},
    .hugging_face_types = {"smollm3"},
    .keys =
        {
            .kv_heads = {{"attention.head_count_kv", 0}, {"num_key_value_heads", 4}},
            .max_position = {{"context_length"}, {"max_position_embeddings", 32768}},
            .rope_theta = {{"rope.freq_base", 10000}, {"rope_theta", 2e6}},
        },
    .windows = {.pattern = WindowRule::Pattern::kWithoutRotary,
                .window = {{}, {"sliding_window", 0}},
                .layer_types = true},
    .rotary_layers = {.period = {{{}, 4}, {"no_rope_layer_interval", 4}}, .list_of_rotated = "no_rope_layers"},
    .layer_weights =
        {
            .q_bias = {"blk.{}.attn_q.bias", "model.layers.{}.self_attn.q_proj.bias", true},
            .k_bias = {"blk.{}.attn_k.bias", "model.layers.{}.self_attn.k_proj.bias", true},
            .v_bias = {"blk.{}.attn_v.bias", "model.layers.{}.self_attn.v_proj.bias", true},
            .attn_out_bias = {"blk.{}.attn_output.bias", "model.layers.{}.self_attn.o_proj.bias", true},
            .gate_bias = {"blk.{}.ffn_gate.bias", "model.layers.{}.mlp.gate_proj.bias", true},
            .up_bias = {"blk.{}.ffn_up.bias", "model.layers.{}.mlp.up_proj.bias", true},
            .down_bias = {"blk.{}.ffn_down.bias", "model.layers.{}.mlp.down_proj.bias", true},
        },
    .gguf_rotary_style = kernels::RotaryStyle::kInterleaved,
    .ties_lm_head = true,
};

}  // namespace caravel::model
