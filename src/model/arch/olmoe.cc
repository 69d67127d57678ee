#include "model/arch/architecture.h"

namespace caravel::model {

/// OLMoE: a Llama with experts and a QK norm over all heads. llama.cpp never divides the chosen weights by their sum.
constinit const Architecture kOlmoe = {
    .name = "olmoe",
    .gguf_name = "olmoe",
    .hugging_face_names = {"OlmoeForCausalLM", "OlmoeModel"},
    .hugging_face_types = {"olmoe"},
    .keys = {.max_position = {{"context_length"}, {"max_position_embeddings", 4096}},
             .norm_epsilon = {{"attention.layer_norm_rms_epsilon"}, {"rms_norm_eps", 1e-5}}},
    .layer_weights =
        {
            .q_bias = {{}, "model.layers.{}.self_attn.q_proj.bias", true},
            .k_bias = {{}, "model.layers.{}.self_attn.k_proj.bias", true},
            .v_bias = {{}, "model.layers.{}.self_attn.v_proj.bias", true},
            .q_norm = {"blk.{}.attn_q_norm.weight", "model.layers.{}.self_attn.q_norm.weight"},
            .k_norm = {"blk.{}.attn_k_norm.weight", "model.layers.{}.self_attn.k_norm.weight"},
            .attn_out_bias = {{}, "model.layers.{}.self_attn.o_proj.bias", true},
        },
    .fixed_switches = {{{"clip_qkv", false}}},
    .fixed_numbers = {{{.gguf_key = "attention.clamp_kqv"}}},
    .experts = {.experts = {{"expert_count"}, {"num_experts", 64, "num_local_experts"}},
                .per_token = {{"expert_used_count"}, {"num_experts_per_tok", 8}},
                .renormalized = {{}, {"norm_topk_prob", 0}}},
    .qk_norm_rows = true,
};

}  // namespace caravel::model
