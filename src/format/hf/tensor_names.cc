#include "format/hf/tensor_names.h"

#include <algorithm>
#include <array>

namespace caravel::format {
namespace {

template <size_t kCount>
bool starts_with_one_of(std::string_view name, const std::array<std::string_view, kCount>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](auto prefix) { return name.starts_with(prefix); });
}

std::string_view without_prefix(std::string_view name, std::string_view prefix) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

}  // namespace

std::string text_tensor_name(std::string_view name) {
  static constexpr std::array<std::string_view, 4> kParts = {"embed_tokens.", "layers.", "norm.", "rotary_emb."};
  static constexpr std::array<std::string_view, 4> kGpt2Parts = {"wte.", "wpe.", "h.", "ln_f."};
  if (starts_with_one_of(name, kGpt2Parts)) return "transformer." + std::string(name);
  if (name.starts_with("decoder.")) return "model." + std::string(name);
  std::string_view rest = without_prefix(name, "model.");
  const bool in_language_model = rest.starts_with("language_model.");
  rest = without_prefix(rest, "language_model.");
  if (in_language_model) rest = without_prefix(rest, "model.");
  if (starts_with_one_of(rest, kParts)) return "model." + std::string(rest);
  return std::string(in_language_model && rest.starts_with("lm_head.") ? rest : name);
}

bool is_vision_tensor(std::string_view name) {
  static constexpr std::array<std::string_view, 3> kParts = {"vision_tower.", "vision_model.",
                                                             "multi_modal_projector."};
  return starts_with_one_of(without_prefix(name, "model."), kParts);
}

}  // namespace caravel::format
