#include "model/arch/architecture.h"

namespace caravel::model {

/// Granite 3: a Llama with a number each that embeddings, scores and what branches give are multiplied by, and one that
/// logits are divided by.
constinit const Architecture kGranite = {
    .name = "granite",
    .gguf_name = "granite",
    .hugging_face_names = {"GraniteForCausalLM", "GraniteModel"},
    .hugging_face_types = {"granite"},
    .keys =
        {
            .max_position = {{"context_length"}, {"max_position_embeddings", 2048}},
            .attention_multiplier = {{"attention.scale", 0}, {"attention_multiplier", 1}},
            .embedding_multiplier = {{"embedding_scale", 0}, {"embedding_multiplier", 1}},
            .residual_multiplier = {{"residual_scale", 0}, {"residual_multiplier", 1}},
            .logits_divisor = {{"logit_scale"}, {"logits_scaling", 1}},
        },
    // llama.cpp's readers of it take the key for a switch.
    .rotary_layers = {.gguf_switch = "rope.scaling.finetuned"},
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
};

}  // namespace caravel::model
