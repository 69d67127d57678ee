#include "model/arch/architecture.h"

namespace caravel::model {

/// Mixtral: a Mistral with experts. llama.cpp's converter writes "llama" for it.
constinit const Architecture kMixtral = {
    .name = "mixtral",
    .hugging_face_names = {"MixtralForCausalLM", "MixtralModel"},
    .hugging_face_types = {"mixtral"},
    .keys = {.rope_theta = {{}, {"rope_theta", 1e6}}},
    .windows = {.window = {{}, {"sliding_window", 0}}},
    .experts = {.experts = {{}, {"num_local_experts", 8, "num_experts"}},
                .per_token = {{}, {"num_experts_per_tok", 2}},
                .score = kernels::RouterRule::Score::kSoftmaxOfChosen},
    .expert_weights = {.router = {{}, "model.layers.{}.block_sparse_moe.gate.weight"},
                       .gate = {{}, "model.layers.{}.block_sparse_moe.experts.{}.w1.weight"},
                       .up = {{}, "model.layers.{}.block_sparse_moe.experts.{}.w3.weight"},
                       .down = {{}, "model.layers.{}.block_sparse_moe.experts.{}.w2.weight"}},
};

}  // namespace caravel::model
