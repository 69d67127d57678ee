#include "model/arch/architecture.h"

namespace caravel::model {

/// Ministral 3, and the text model of Mistral Small 3.1 and 3.2 (mistral3): a Llama with heads of a width of their own;
/// the first with YaRN and queries that grow with the position.
constinit const Architecture kMinistral3 = {
    .name = "ministral3",
    .gguf_name = "mistral3",
    .hugging_face_names = {"Ministral3ForCausalLM", "Mistral3ForConditionalGeneration", "Ministral3Model",
                           "Mistral3Model"},
    .hugging_face_types = {"ministral3", "mistral3"},
    .keys =
        {
            .kv_heads = {{"attention.head_count_kv", 0}, {"num_key_value_heads", 8}},
            .head_dim = {{"attention.key_length", 0}, {"head_dim", 128}},
            .max_position = {{"context_length"}, {"max_position_embeddings", 262144}},
            .norm_epsilon = {{"attention.layer_norm_rms_epsilon"}, {"rms_norm_eps", 1e-5}},
            .query_growth = {{"attention.temperature_scale", 0}, {"llama_4_scaling_beta", 0}},
        },
    .windows = {.window = {{}, {"sliding_window", 0}}},
    .gguf_rotary_style = kernels::RotaryStyle::kInterleaved,
    .default_rotary = R"({"rope_type": "yarn", "rope_theta": 1000000.0, "factor": 16.0, "beta_fast": 32.0,
                          "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1,
                          "original_max_position_embeddings": 16384})",
};

}  // namespace caravel::model
