#include "model/arch/architecture.h"

namespace caravel::model {

/// gpt-oss: experts with biases in every layer, gated by a clamped SiLU, a sink in each head of attention, and a window
/// in every other layer. Its folders hold experts in MXFP4, or in BF16 as [experts, in, out]; gate and up in turn. Its
/// YaRN does not round the blend's ends, of which a GGUF file says nothing; llama.cpp rounds them.
constinit const Architecture kGptOss = {
    .name = "gpt_oss",
    .gguf_name = "gpt-oss",
    .hugging_face_names = {"GptOssForCausalLM", "GptOssModel"},
    .hugging_face_types = {"gpt_oss"},
    .keys = {.head_dim = {{"attention.key_length", 0}, {"head_dim", 64}},
             .max_position = {{"context_length"}, {"max_position_embeddings", 131072}},
             .norm_epsilon = {{"attention.layer_norm_rms_epsilon"}, {"rms_norm_eps", 1e-5}},
             .rope_theta = {{"rope.freq_base", 150000}, {"rope_theta", 150000}},
             .activation = ""},
    .windows = {.pattern = WindowRule::Pattern::kAllButEveryNth,
                .window = {{"attention.sliding_window"}, {"sliding_window", 128}},
                .period = {{"attention.sliding_window_pattern", 2}, {{}, 2}},
                .layer_types = true},
    .layer_weights = {.q_bias = {"blk.{}.attn_q.bias", "model.layers.{}.self_attn.q_proj.bias"},
                      .k_bias = {"blk.{}.attn_k.bias", "model.layers.{}.self_attn.k_proj.bias"},
                      .v_bias = {"blk.{}.attn_v.bias", "model.layers.{}.self_attn.v_proj.bias"},
                      .attn_out_bias = {"blk.{}.attn_output.bias", "model.layers.{}.self_attn.o_proj.bias"},
                      .sinks = {"blk.{}.attn_sinks.weight", "model.layers.{}.self_attn.sinks"},
                      .ffn_norm = {"blk.{}.post_attention_norm.weight",
                                   "model.layers.{}.post_attention_layernorm.weight"}},
    .fixed_switches = {{{"attention_bias", true}}},
    .fixed_numbers = {{{"swiglu_limit", 7}, {"swiglu_alpha", 1.702}}},
    .fixed_texts = {{{"hidden_act", "silu"}}},  // which the class does not read
    .experts = {.experts = {{"expert_count"}, {"num_local_experts", 128, "num_experts"}},
                .per_token = {{"expert_used_count"}, {"num_experts_per_tok", 4}},
                .intermediate_size = {{"expert_feed_forward_length"}, {}},
                .score = kernels::RouterRule::Score::kSoftmaxOfChosen},
    .expert_weights = {.router = {"blk.{}.ffn_gate_inp.weight", "model.layers.{}.mlp.router.weight"},
                       .router_bias = {"blk.{}.ffn_gate_inp.bias", "model.layers.{}.mlp.router.bias"},
                       .gate = {"blk.{}.ffn_gate_exps.weight", {}},
                       .up = {"blk.{}.ffn_up_exps.weight", {}},
                       .down = {"blk.{}.ffn_down_exps.weight", {}},
                       .joined = {{}, "model.layers.{}.mlp.experts.gate_up_proj"},
                       .beside_joined = {{}, "model.layers.{}.mlp.experts.down_proj"},
                       .gate_bias = {"blk.{}.ffn_gate_exps.bias", {}},
                       .up_bias = {"blk.{}.ffn_up_exps.bias", {}},
                       .joined_bias = {{}, "model.layers.{}.mlp.experts.gate_up_proj_bias"},
                       .down_bias = {"blk.{}.ffn_down_exps.bias", "model.layers.{}.mlp.experts.down_proj_bias"}},
    .activation = kernels::Activation::kClampedSilu,
    .default_rotary = R"({"rope_type": "yarn", "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0, "truncate": false,
                          "original_max_position_embeddings": 4096})",
    .joined_in_turn = true,
    .experts_by_columns = true,
    .yarn_truncates = false,
};

}  // namespace caravel::model
