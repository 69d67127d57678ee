#include "model/arch/architecture.h"

namespace caravel::model {

/// GPT-2: LayerNorm, learned positions, a feed-forward without a gate. A folder has matrices as [in, out], and keys of
/// its own.
constinit const Architecture kGpt2 = {
    .name = "gpt2",
    .gguf_name = "gpt2",
    .hugging_face_names = {"GPT2LMHeadModel", "GPT2Model"},
    .hugging_face_types = {"gpt2"},
    .keys =
        {
            .layers = {{"block_count"}, {"n_layer", 12}},
            .hidden_size = {{"embedding_length"}, {"n_embd", 768}},
            .intermediate_size = {{"feed_forward_length"}, {"n_inner", 0}},
            .heads = {{"attention.head_count"}, {"n_head", 12}},
            .kv_heads = {},
            .head_dim = {},
            .max_position = {{"context_length"}, {"n_positions", 1024}},
            .norm_epsilon = {{"attention.layer_norm_epsilon"}, {"layer_norm_epsilon", 1e-5}},
            .activation = "activation_function",
        },
    .model_weights =
        {
            .embedding = {"token_embd.weight", "transformer.wte.weight"},
            .positions = {"position_embd.weight", "transformer.wpe.weight"},
            .final_norm = {"output_norm.weight", "transformer.ln_f.weight"},
            .final_norm_bias = {"output_norm.bias", "transformer.ln_f.bias"},
        },
    .layer_weights =
        {
            .attn_norm = {"blk.{}.attn_norm.weight", "transformer.h.{}.ln_1.weight"},
            .attn_norm_bias = {"blk.{}.attn_norm.bias", "transformer.h.{}.ln_1.bias"},
            .q = {},
            .k = {},
            .v = {},
            .qkv = {"blk.{}.attn_qkv.weight", "transformer.h.{}.attn.c_attn.weight"},
            .qkv_bias = {"blk.{}.attn_qkv.bias", "transformer.h.{}.attn.c_attn.bias"},
            .attn_out = {"blk.{}.attn_output.weight", "transformer.h.{}.attn.c_proj.weight"},
            .attn_out_bias = {"blk.{}.attn_output.bias", "transformer.h.{}.attn.c_proj.bias"},
            .ffn_norm = {"blk.{}.ffn_norm.weight", "transformer.h.{}.ln_2.weight"},
            .ffn_norm_bias = {"blk.{}.ffn_norm.bias", "transformer.h.{}.ln_2.bias"},
            .gate = {},
            .up = {"blk.{}.ffn_up.weight", "transformer.h.{}.mlp.c_fc.weight"},
            .up_bias = {"blk.{}.ffn_up.bias", "transformer.h.{}.mlp.c_fc.bias"},
            .down = {"blk.{}.ffn_down.weight", "transformer.h.{}.mlp.c_proj.weight"},
            .down_bias = {"blk.{}.ffn_down.bias", "transformer.h.{}.mlp.c_proj.bias"},
        },
    .fixed_switches = {{{"scale_attn_weights", true},
                        {"scale_attn_by_inverse_layer_idx", false},
                        {"add_cross_attention", false}}},
    .activation = kernels::Activation::kGeluTanh,
    .layer_norm = true,
    .by_columns = true,
    .ties_lm_head = true,
};

}  // namespace caravel::model
