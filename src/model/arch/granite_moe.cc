#include "model/arch/architecture.h"

namespace caravel::model {

/// Granite 3 with experts: its multipliers, and of all experts of a layer one tensor of gate and up. GraniteMoeShared
/// has some that every token has, too.
constinit const Architecture kGraniteMoe = {
    .name = "granite_moe",
    .gguf_name = "granitemoe",
    .hugging_face_names = {"GraniteMoeForCausalLM", "GraniteMoeSharedForCausalLM", "GraniteMoeModel",
                           "GraniteMoeSharedModel"},
    .hugging_face_types = {"granitemoe", "granitemoeshared"},
    .keys =
        {
            .max_position = {{"context_length"}, {"max_position_embeddings", 2048}},
            .attention_multiplier = {{"attention.scale", 0}, {"attention_multiplier", 1}},
            .embedding_multiplier = {{"embedding_scale", 0}, {"embedding_multiplier", 1}},
            .residual_multiplier = {{"residual_scale", 0}, {"residual_multiplier", 1}},
            .logits_divisor = {{"logit_scale"}, {"logits_scaling", 1}},
        },
    // llama.cpp's readers of it take the key for a switch.
    .rotary_layers = {.gguf_switch = "rope.scaling.finetuned"},
    .layer_weights =
        {
            .q_bias = {"blk.{}.attn_q.bias", "model.layers.{}.self_attn.q_proj.bias", true},
            .k_bias = {"blk.{}.attn_k.bias", "model.layers.{}.self_attn.k_proj.bias", true},
            .v_bias = {"blk.{}.attn_v.bias", "model.layers.{}.self_attn.v_proj.bias", true},
            .attn_out_bias = {"blk.{}.attn_output.bias", "model.layers.{}.self_attn.o_proj.bias", true},
        },
    .experts = {.experts = {{"expert_count"}, {"num_local_experts", 8, "num_experts"}},
                .per_token = {{"expert_used_count"}, {"num_experts_per_tok", 2}},
                .shared_intermediate_size = {{"expert_shared_feed_forward_length", 0}, {"shared_intermediate_size", 0}},
                .score = kernels::RouterRule::Score::kSoftmaxOfChosen},
    .expert_weights =
        {.router = {"blk.{}.ffn_gate_inp.weight", "model.layers.{}.block_sparse_moe.router.layer.weight"},
         .gate = {"blk.{}.ffn_gate_exps.weight", {}},
         .up = {"blk.{}.ffn_up_exps.weight", {}},
         .down = {"blk.{}.ffn_down_exps.weight", {}},
         .joined = {"blk.{}.ffn_gate_up_exps.weight", "model.layers.{}.block_sparse_moe.input_linear.weight"},
         .beside_joined = {"blk.{}.ffn_down_exps.weight", "model.layers.{}.block_sparse_moe.output_linear.weight"},
         .shared_joined = {{}, "model.layers.{}.shared_mlp.input_linear.weight"},
         .shared_gate = {"blk.{}.ffn_gate_shexp.weight", {}},
         .shared_up = {"blk.{}.ffn_up_shexp.weight", {}},
         .shared_down = {"blk.{}.ffn_down_shexp.weight", "model.layers.{}.shared_mlp.output_linear.weight"}},
    .gguf_rotary_style = kernels::RotaryStyle::kInterleaved,
};

}  // namespace caravel::model
