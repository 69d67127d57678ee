#pragma once

#include <string>
#include <string_view>

namespace caravel::format {

/// A tensor of a text model as Convention::kHuggingFace calls it, whatever class of transformers saved it:
/// "layers.0..." (AutoModel), "language_model.model.layers.0..." and "model.language_model.layers.0..." (the text part
/// of a multimodal model, as published and as saved since) all become "model.layers.0...", "language_model.lm_head..."
/// becomes "lm_head...". A GPT-2's and an OPT's without a head likewise: "h.0..." becomes "transformer.h.0...",
/// "decoder.layers.0..." "model.decoder.layers.0...". Other names stay as they are.
std::string text_tensor_name(std::string_view name);

/// It belongs to what shows a multimodal model its images, and text never passes through it.
bool is_vision_tensor(std::string_view name);

}  // namespace caravel::format
