#include "model/arch/architecture.h"

namespace caravel::model {

/// DeepSeek-V3 and R1 as folders: sigmoid scores and a bias for the choice alone, groups by their two best experts.
/// Layers behind the last guess at tokens after the next. GGUF files are read by V2's table.
constinit const Architecture kDeepSeekV3 = {
    .name = "deepseek_v3",
    .hugging_face_names = {"DeepseekV3ForCausalLM", "DeepseekV3Model"},
    .hugging_face_types = {"deepseek_v3"},
    .keys = {.unread_layers = {{}, {"num_nextn_predict_layers", 0, "num_mtp_layers"}}, .kv_heads = {}, .head_dim = {}},
    .layer_weights = {.k = {}, .v = {}},
    .fixed_switches = {{{"attention_bias", false}, {"rope_interleave", true}}},
    // The class reads none of these, and published models have them so.
    .fixed_numbers = {{{"moe_layer_freq", 1}}},
    .fixed_texts = {{{"scoring_func", "sigmoid"}, {"topk_method", "noaux_tc"}}},
    .latent = {.latent_dim = {{}, {"kv_lora_rank", 512}},
               .query_latent_dim = {{}, {"q_lora_rank", 1536}},
               .nope_dim = {{}, {"qk_nope_head_dim", 128}},
               .rotary_dim = {{}, {"qk_rope_head_dim", 64}},
               .value_dim = {{}, {"v_head_dim", 128}},
               .norm_epsilon = 1e-6},
    .experts = {.experts = {{}, {"n_routed_experts", 256, "num_local_experts"}},
                .per_token = {{}, {"num_experts_per_tok", 8}},
                .intermediate_size = {{}, {"moe_intermediate_size", 2048}},
                .shared_experts = {{}, {"n_shared_experts", 1}},
                .groups = {{}, {"n_group", 8}},
                .chosen_groups = {{}, {"topk_group", 4}},
                .scale = {{}, {"routed_scaling_factor", 2.5}},
                .renormalized = {{}, {"norm_topk_prob", 1}},
                .dense_layers = {{}, {"first_k_dense_replace", 3}},
                .score = kernels::RouterRule::Score::kSigmoid,
                .group_score = kernels::RouterRule::GroupScore::kSumOfTwoLargest},
    .expert_weights = {.choice_bias = {{}, "model.layers.{}.mlp.gate.e_score_correction_bias"}},
    .hugging_face_rotary_style = kernels::RotaryStyle::kInterleaved,
};

}  // namespace caravel::model
