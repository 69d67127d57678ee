#include "model/arch/architecture.h"

namespace caravel::model {

/// Qwen3 with experts. A folder of transformers 5 may call their number num_local_experts. A GGUF file does not say
/// whether weights of the chosen ones are divided by their sum: llama.cpp always does, as every published model wants.
constinit const Architecture kQwen3Moe = {
    .name = "qwen3_moe",
    .gguf_name = "qwen3moe",
    .hugging_face_names = {"Qwen3MoeForCausalLM", "Qwen3MoeModel"},
    .hugging_face_types = {"qwen3_moe"},
    .windows = {.pattern = WindowRule::Pattern::kFromLayer, .window = {{}, {"sliding_window", 4096}}},
    .layer_weights =
        {
            .q_bias = {{}, "model.layers.{}.self_attn.q_proj.bias", true},
            .k_bias = {{}, "model.layers.{}.self_attn.k_proj.bias", true},
            .v_bias = {{}, "model.layers.{}.self_attn.v_proj.bias", true},
            .q_norm = {"blk.{}.attn_q_norm.weight", "model.layers.{}.self_attn.q_norm.weight"},
            .k_norm = {"blk.{}.attn_k_norm.weight", "model.layers.{}.self_attn.k_norm.weight"},
            .attn_out_bias = {{}, "model.layers.{}.self_attn.o_proj.bias", true},
        },
    .experts = {.experts = {{"expert_count"}, {"num_experts", 128, "num_local_experts"}},
                .per_token = {{"expert_used_count"}, {"num_experts_per_tok", 8}},
                .intermediate_size = {{"expert_feed_forward_length"}, {"moe_intermediate_size", 768}},
                .renormalized = {{{}, 1}, {"norm_topk_prob", 0}},
                .period = {{}, {"decoder_sparse_step", 1}},
                .dense_list = "mlp_only_layers"},
};

}  // namespace caravel::model
