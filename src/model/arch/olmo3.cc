#include "model/arch/architecture.h"

namespace caravel::model {

/// OLMo 3: OLMo 2 with a window in three of four layers, whose rotary embedding has the base of the others without
/// their scaling. A GGUF file of it says "olmo2". transformers 5.24 gives the windowed layers of a folder in the older
/// spelling a base of 500,000 whatever rope_theta says, which is what every published one says.
constinit const Architecture kOlmo3 = {
    .name = "olmo3",
    .hugging_face_names = {"Olmo3ForCausalLM", "Olmo3Model"},
    .hugging_face_types = {"olmo3"},
    .keys =
        {
            .max_position = {{}, {"max_position_embeddings", 2048}},
            .norm_epsilon = {{}, {"rms_norm_eps", 1e-5}},
            .rope_theta = {{}, {"rope_theta", 500000}},
            .local_rope_theta = {{}, {"rope_theta", 500000}},
        },
    .windows = {.pattern = WindowRule::Pattern::kAllButEveryNth,
                .window = {{}, {"sliding_window", 4096}},
                .period = {{}, {"", 4}},
                .layer_types = true},
    .layer_weights =
        {
            .attn_norm = {},
            .q_bias = {{}, "model.layers.{}.self_attn.q_proj.bias", true},
            .k_bias = {{}, "model.layers.{}.self_attn.k_proj.bias", true},
            .v_bias = {{}, "model.layers.{}.self_attn.v_proj.bias", true},
            .q_norm = {{}, "model.layers.{}.self_attn.q_norm.weight"},
            .k_norm = {{}, "model.layers.{}.self_attn.k_norm.weight"},
            .attn_out_bias = {{}, "model.layers.{}.self_attn.o_proj.bias", true},
            .post_attn_norm = {{}, "model.layers.{}.post_attention_layernorm.weight"},
            .ffn_norm = {},
            .post_ffn_norm = {{}, "model.layers.{}.post_feedforward_layernorm.weight"},
        },
    .qk_norm_rows = true,
};

}  // namespace caravel::model
