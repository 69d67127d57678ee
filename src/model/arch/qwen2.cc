#include "model/arch/architecture.h"

namespace caravel::model {

/// Qwen2 and 2.5: biases on Q, K and V. Windows only where use_sliding_window says so, from max_window_layers on.
constinit const Architecture kQwen2 = {
    .name = "qwen2",
    .gguf_name = "qwen2",
    .hugging_face_names = {"Qwen2ForCausalLM", "Qwen2Model"},
    .hugging_face_types = {"qwen2"},
    .windows = {.pattern = WindowRule::Pattern::kFromLayer,
                .window = {{}, {"sliding_window", 4096}},
                .period = {{}, {"max_window_layers", 28}},
                .layer_types = true},
    .layer_weights =
        {
            .q_bias = {"blk.{}.attn_q.bias", "model.layers.{}.self_attn.q_proj.bias"},
            .k_bias = {"blk.{}.attn_k.bias", "model.layers.{}.self_attn.k_proj.bias"},
            .v_bias = {"blk.{}.attn_v.bias", "model.layers.{}.self_attn.v_proj.bias"},
        },
};

}  // namespace caravel::model
