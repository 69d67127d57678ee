#include "model/arch/architecture.h"

namespace caravel::model {

/// Llama 2 and 3, SmolLM2, and what else is a Llama by another name (Mistral and, with experts, Mixtral in a GGUF
/// file).
constinit const Architecture kLlama = {
    .name = "llama",
    .gguf_name = "llama",
    .hugging_face_names = {"LlamaForCausalLM", "LlamaModel"},
    .hugging_face_types = {"llama"},
    .windows = {.window = {{"attention.sliding_window", 0}, {}}},
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
    .experts = {.experts = {{"expert_count", 0}, {}}, .score = kernels::RouterRule::Score::kSoftmaxOfChosen},
    .gguf_rotary_style = kernels::RotaryStyle::kInterleaved,
};

}  // namespace caravel::model
