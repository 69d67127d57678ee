#include "model/arch/architecture.h"

namespace caravel::model {

/// Qwen3: an RMS norm on each head of Q and K instead of Qwen2's biases.
constinit const Architecture kQwen3 = {
    .name = "qwen3",
    .gguf_name = "qwen3",
    .hugging_face_names = {"Qwen3ForCausalLM", "Qwen3Model"},
    .hugging_face_types = {"qwen3"},
    .keys = {.head_dim = {{"attention.key_length", 0}, {"head_dim", 128}}},
    .windows = {.pattern = WindowRule::Pattern::kFromLayer,
                .window = {{}, {"sliding_window", 4096}},
                .period = {{}, {"max_window_layers", 28}},
                .layer_types = true},
    .layer_weights =
        {
            .q_bias = {{}, "model.layers.{}.self_attn.q_proj.bias", true},
            .k_bias = {{}, "model.layers.{}.self_attn.k_proj.bias", true},
            .v_bias = {{}, "model.layers.{}.self_attn.v_proj.bias", true},
            .q_norm = {"blk.{}.attn_q_norm.weight", "model.layers.{}.self_attn.q_norm.weight"},
            .k_norm = {"blk.{}.attn_k_norm.weight", "model.layers.{}.self_attn.k_norm.weight"},
            .attn_out_bias = {{}, "model.layers.{}.self_attn.o_proj.bias", true},
        },
};

}  // namespace caravel::model
