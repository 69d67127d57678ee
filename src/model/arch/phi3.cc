#include "model/arch/architecture.h"

namespace caravel::model {

/// Phi-3, Phi-4 and Phi-4-mini: Q, K and V in one matrix, gate and up in another, a window that some sizes have, and
/// two sets of rotary frequencies in those of 128k tokens. llama.cpp (of llama-cpp-python 0.3.36) leaves the window of
/// a GGUF file out; transformers does not, and neither does this.
constinit const Architecture kPhi3 = {
    .name = "phi3",
    .gguf_name = "phi3",
    .hugging_face_names = {"Phi3ForCausalLM", "Phi3Model"},
    .hugging_face_types = {"phi3"},
    .keys =
        {
            .max_position = {{"context_length"}, {"max_position_embeddings", 4096}},
            .norm_epsilon = {{"attention.layer_norm_rms_epsilon"}, {"rms_norm_eps", 1e-5}},
            .original_context = {{"rope.scaling.original_context_length", 0},
                                 {"original_max_position_embeddings", 4096}},
        },
    .windows = {.window = {{"attention.sliding_window", 0}, {"sliding_window", 0}}},
    .layer_weights =
        {
            .q = {"blk.{}.attn_q.weight", {}},
            .k = {"blk.{}.attn_k.weight", {}},
            .v = {"blk.{}.attn_v.weight", {}},
            .qkv = {"blk.{}.attn_qkv.weight", "model.layers.{}.self_attn.qkv_proj.weight"},
            .gate = {},
            .up = {},
            .gate_up = {"blk.{}.ffn_up.weight", "model.layers.{}.mlp.gate_up_proj.weight"},
        },
    .partial_rotary = 1,
};

}  // namespace caravel::model
