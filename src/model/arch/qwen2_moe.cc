#include "model/arch/architecture.h"

namespace caravel::model {

/// Qwen2 with experts, and some that every token has, with a gate of their own.
constinit const Architecture kQwen2Moe = {
    .name = "qwen2_moe",
    .gguf_name = "qwen2moe",
    .hugging_face_names = {"Qwen2MoeForCausalLM", "Qwen2MoeModel"},
    .hugging_face_types = {"qwen2_moe"},
    .windows = {.pattern = WindowRule::Pattern::kEveryOtherBefore,
                .window = {{}, {"sliding_window", 4096}},
                .period = {{}, {"max_window_layers", 28}},
                .layer_types = true},
    .layer_weights =
        {
            .q_bias = {"blk.{}.attn_q.bias", "model.layers.{}.self_attn.q_proj.bias"},
            .k_bias = {"blk.{}.attn_k.bias", "model.layers.{}.self_attn.k_proj.bias"},
            .v_bias = {"blk.{}.attn_v.bias", "model.layers.{}.self_attn.v_proj.bias"},
        },
    .fixed_switches = {{{"qkv_bias", true}}},
    .experts = {.experts = {{"expert_count"}, {"num_experts", 60, "num_local_experts"}},
                .per_token = {{"expert_used_count"}, {"num_experts_per_tok", 4}},
                .intermediate_size = {{"expert_feed_forward_length"}, {"moe_intermediate_size", 1408}},
                .shared_intermediate_size = {{"expert_shared_feed_forward_length", 0},
                                             {"shared_expert_intermediate_size", 5632}},
                .renormalized = {{}, {"norm_topk_prob", 0}},
                .period = {{}, {"decoder_sparse_step", 1}},
                .dense_list = "mlp_only_layers",
                .shared_gate = true},
    .expert_weights = {.shared_gate = {"blk.{}.ffn_gate_shexp.weight",
                                       "model.layers.{}.mlp.shared_expert.gate_proj.weight"},
                       .shared_up = {"blk.{}.ffn_up_shexp.weight", "model.layers.{}.mlp.shared_expert.up_proj.weight"},
                       .shared_down = {"blk.{}.ffn_down_shexp.weight",
                                       "model.layers.{}.mlp.shared_expert.down_proj.weight"}},
};

}  // namespace caravel::model
