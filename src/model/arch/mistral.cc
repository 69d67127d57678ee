#include "model/arch/architecture.h"

namespace caravel::model {

/// Mistral: a Llama whose layers all see a window, where sliding_window is not null. llama.cpp's converter writes
/// "llama" for it.
constinit const Architecture kMistral = {
    .name = "mistral",
    .hugging_face_names = {"MistralForCausalLM", "MistralModel"},
    .hugging_face_types = {"mistral"},
    .windows = {.window = {{}, {"sliding_window", 4096}}},
};

}  // namespace caravel::model
