#include "model/arch/architecture.h"

namespace caravel::model {

/// OPT (Zhang et al. 2022): LayerNorm, learned positions from the third row on, ReLU without a gate. The size of 350M
/// is another model, with norms behind a branch and embeddings narrower than the layers, and is refused by its
/// switches. llama.cpp has none.
constinit const Architecture kOpt = {
    .name = "opt",
    .hugging_face_names = {"OPTForCausalLM", "OPTModel"},
    .hugging_face_types = {"opt"},
    .keys =
        {
            .intermediate_size = {{}, {"ffn_dim", 3072}},
            .embedding_size = {{}, {"word_embed_proj_dim", 0}},
            .kv_heads = {},
            .head_dim = {},
            .max_position = {{}, {"max_position_embeddings", 2048}},
            .norm_epsilon = {{}, {"", 1e-5}},
            .activation = "activation_function",
        },
    .model_weights =
        {
            .embedding = {{}, "model.decoder.embed_tokens.weight"},
            .positions = {{}, "model.decoder.embed_positions.weight"},
            .final_norm = {{}, "model.decoder.final_layer_norm.weight"},
            .final_norm_bias = {{}, "model.decoder.final_layer_norm.bias"},
            .lm_head = {{}, "lm_head.weight", true},
        },
    .layer_weights =
        {
            .attn_norm = {{}, "model.decoder.layers.{}.self_attn_layer_norm.weight"},
            .attn_norm_bias = {{}, "model.decoder.layers.{}.self_attn_layer_norm.bias"},
            .q = {{}, "model.decoder.layers.{}.self_attn.q_proj.weight"},
            .k = {{}, "model.decoder.layers.{}.self_attn.k_proj.weight"},
            .v = {{}, "model.decoder.layers.{}.self_attn.v_proj.weight"},
            .q_bias = {{}, "model.decoder.layers.{}.self_attn.q_proj.bias"},
            .k_bias = {{}, "model.decoder.layers.{}.self_attn.k_proj.bias"},
            .v_bias = {{}, "model.decoder.layers.{}.self_attn.v_proj.bias"},
            .attn_out = {{}, "model.decoder.layers.{}.self_attn.out_proj.weight"},
            .attn_out_bias = {{}, "model.decoder.layers.{}.self_attn.out_proj.bias"},
            .ffn_norm = {{}, "model.decoder.layers.{}.final_layer_norm.weight"},
            .ffn_norm_bias = {{}, "model.decoder.layers.{}.final_layer_norm.bias"},
            .gate = {},
            .up = {{}, "model.decoder.layers.{}.fc1.weight"},
            .up_bias = {{}, "model.decoder.layers.{}.fc1.bias"},
            .down = {{}, "model.decoder.layers.{}.fc2.weight"},
            .down_bias = {{}, "model.decoder.layers.{}.fc2.bias"},
        },
    .fixed_switches = {{{"do_layer_norm_before", true},
                        {"layer_norm_elementwise_affine", true},
                        {"_remove_final_layer_norm", false},
                        {"enable_bias", true}}},
    .activation = kernels::Activation::kRelu,
    .layer_norm = true,
    .first_position = 2,
    .ties_lm_head = true,
};

}  // namespace caravel::model
