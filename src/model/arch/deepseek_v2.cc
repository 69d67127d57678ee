#include "model/arch/architecture.h"

namespace caravel::model {

/// DeepSeek-V2 and V2-Lite; and every GGUF file of a DeepSeek-V2 or V3, which say what differs. llama.cpp (of
/// llama-cpp-python 0.3.36) chooses among V2's groups by their two best experts, as V3 does; here a softmax has them by
/// their best, as the paper and transformers have it.
constinit const Architecture kDeepSeekV2 = {
    .name = "deepseek_v2",
    .gguf_name = "deepseek2",
    .hugging_face_names = {"DeepseekV2ForCausalLM", "DeepseekV2Model"},
    .hugging_face_types = {"deepseek_v2"},
    .keys = {.unread_layers = {{"nextn_predict_layers", 0}, {}}, .kv_heads = {}, .head_dim = {}},
    .layer_weights = {.k = {}, .v = {}},
    // transformers 5.24 reads nothing of the last, and published models have it false.
    .fixed_switches = {{{"attention_bias", false}, {"mlp_bias", false}, {"norm_topk_prob", false}}},
    // Of these neither, and all have them so.
    .fixed_numbers = {{{"moe_layer_freq", 1}}},
    .fixed_texts = {{{"scoring_func", "softmax"}}},
    .latent = {.latent_dim = {{"attention.kv_lora_rank"}, {"kv_lora_rank", 512}},
               .query_latent_dim = {{"attention.q_lora_rank", 0}, {"q_lora_rank", 1536}},
               .nope_dim = {{}, {"qk_nope_head_dim", 128}},
               .query_dim = {{"attention.key_length_mla", {}, "attention.key_length"}, {}},
               .rotary_dim = {{"rope.dimension_count"}, {"qk_rope_head_dim", 64}},
               .value_dim = {{"attention.value_length_mla", {}, "attention.value_length"}, {"v_head_dim", 128}},
               .norm_epsilon = 1e-6},
    .experts = {.experts = {{"expert_count", 0}, {"n_routed_experts", 64}},
                .intermediate_size = {{"expert_feed_forward_length"}, {"moe_intermediate_size", 1407}},
                .shared_experts = {{"expert_shared_count", 0}, {"n_shared_experts", 2}},
                .groups = {{"expert_group_count", 0}, {"n_group", 0}},
                .chosen_groups = {{"expert_group_used_count", 0}, {"topk_group", 0}},
                .scale = {{"expert_weights_scale", 0}, {"routed_scaling_factor", 1}},
                .renormalized = {{"expert_weights_norm", 0}, {}},
                .group_method = "topk_method",
                .dense_layers = {{"leading_dense_block_count", 0}, {"first_k_dense_replace", 0}},
                .score_in_file = true},
    .expert_weights = {.choice_bias = {"blk.{}.exp_probs_b.bias", {}, true}},
    .gguf_rotary_style = kernels::RotaryStyle::kInterleaved,
    .hugging_face_rotary_style = kernels::RotaryStyle::kInterleaved,
};

}  // namespace caravel::model
