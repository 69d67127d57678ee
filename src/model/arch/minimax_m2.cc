#include "model/arch/architecture.h"

namespace caravel::model {

/// MiniMax-M2: sigmoid scores and a bias for the choice alone, a QK norm over all heads, part of each head rotated: as
/// published, the first `rotary_dim` elements.
constinit const Architecture kMiniMaxM2 = {
    .name = "minimax_m2",
    .gguf_name = "minimax-m2",
    .hugging_face_names = {"MiniMaxM2ForCausalLM", "MiniMaxM2Model"},
    .hugging_face_types = {"minimax_m2"},
    .keys = {.head_dim = {{"attention.key_length", 0}, {"head_dim", 128}},
             .rope_theta = {{"rope.freq_base", 10000}, {"rope_theta", 5e6}}},
    .layer_weights =
        {
            .q_norm = {"blk.{}.attn_q_norm.weight", "model.layers.{}.self_attn.q_norm.weight"},
            .k_norm = {"blk.{}.attn_k_norm.weight", "model.layers.{}.self_attn.k_norm.weight"},
        },
    // The class reads none of these, and published models have them so.
    .fixed_switches = {{{"use_routing_bias", true}, {"use_qk_norm", true}}},
    .fixed_numbers = {{{"shared_intermediate_size", 0}}},
    .fixed_texts = {{{"scoring_func", "sigmoid"}, {"qk_norm_type", "per_layer"}}},
    .experts = {.experts = {{"expert_count"}, {"num_local_experts", 256, "num_experts"}},
                .per_token = {{"expert_used_count"}, {"num_experts_per_tok", 8}},
                .intermediate_size = {{"expert_feed_forward_length"}, {"intermediate_size", 1536}},
                .renormalized = {{{}, 1}, {{}, 1}},
                .score = kernels::RouterRule::Score::kSigmoid},
    .expert_weights = {.router = {"blk.{}.ffn_gate_inp.weight", "model.layers.{}.block_sparse_moe.gate.weight"},
                       .choice_bias = {"blk.{}.exp_probs_b.bias",
                                       "model.layers.{}.block_sparse_moe.e_score_correction_bias"},
                       .gate = {"blk.{}.ffn_gate_exps.weight", "model.layers.{}.block_sparse_moe.experts.{}.w1.weight"},
                       .up = {"blk.{}.ffn_up_exps.weight", "model.layers.{}.block_sparse_moe.experts.{}.w3.weight"},
                       .down = {"blk.{}.ffn_down_exps.weight",
                                "model.layers.{}.block_sparse_moe.experts.{}.w2.weight"}},
    .partial_rotary = 1,
    .qk_norm_rows = true,
};

}  // namespace caravel::model
