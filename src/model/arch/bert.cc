#include "model/arch/architecture.h"

namespace caravel::model {

/// MiniLM, bge and e5 in their English sizes: post-norm layers, learned positions, no gate.
constinit const Architecture kBert = {
    .name = "bert",
    .gguf_name = "",
    .hugging_face_names = {"BertModel"},
    .hugging_face_types = {"bert"},
    .keys = {.norm_epsilon = {{}, {"layer_norm_eps", 1e-12}}},
    .activation = kernels::Activation::kGelu,
};

}  // namespace caravel::model
