#include "model/arch/architecture.h"

namespace caravel::model {

/// GLM-4.5 to 4.7: sigmoid scores and a bias for the choice alone, as in DeepSeek-V3, experts that every token has,
/// first layers without experts, half of each head rotated. Layers behind the last guess at tokens after the next.
constinit const Architecture kGlm4Moe = {
    .name = "glm4_moe",
    .gguf_name = "glm4moe",
    .hugging_face_names = {"Glm4MoeForCausalLM", "Glm4MoeModel"},
    .hugging_face_types = {"glm4_moe"},
    .keys = {.unread_layers = {{"nextn_predict_layers", 0}, {"num_nextn_predict_layers", 0}},
             .norm_epsilon = {{"attention.layer_norm_rms_epsilon"}, {"rms_norm_eps", 1e-5}}},
    .layer_weights =
        {
            .q_bias = {"blk.{}.attn_q.bias", "model.layers.{}.self_attn.q_proj.bias", true},
            .k_bias = {"blk.{}.attn_k.bias", "model.layers.{}.self_attn.k_proj.bias", true},
            .v_bias = {"blk.{}.attn_v.bias", "model.layers.{}.self_attn.v_proj.bias", true},
            .q_norm = {"blk.{}.attn_q_norm.weight", "model.layers.{}.self_attn.q_norm.weight", true},
            .k_norm = {"blk.{}.attn_k_norm.weight", "model.layers.{}.self_attn.k_norm.weight", true},
            .ffn_norm = {"blk.{}.post_attention_norm.weight", "model.layers.{}.post_attention_layernorm.weight"},
        },
    .experts = {.experts = {{"expert_count"}, {"n_routed_experts", 128}},
                .per_token = {{"expert_used_count"}, {"num_experts_per_tok", 8}},
                .intermediate_size = {{"expert_feed_forward_length"}, {"moe_intermediate_size", 1408}},
                .shared_experts = {{"expert_shared_count"}, {"n_shared_experts", 1}},
                .groups = {{"expert_group_count", 1}, {"n_group", 1}},
                .chosen_groups = {{"expert_group_used_count", 1}, {"topk_group", 1}},
                .scale = {{"expert_weights_scale", 1}, {"routed_scaling_factor", 1}},
                .renormalized = {{"expert_weights_norm", 0}, {"norm_topk_prob", 1}},
                .dense_layers = {{"leading_dense_block_count", 0}, {"first_k_dense_replace", 1}},
                .score = kernels::RouterRule::Score::kSigmoid,
                .group_score = kernels::RouterRule::GroupScore::kSumOfTwoLargest},
    .expert_weights = {.choice_bias = {"blk.{}.exp_probs_b.bias", "model.layers.{}.mlp.gate.e_score_correction_bias"}},
    .partial_rotary = 0.5,
};

}  // namespace caravel::model
