#include "model/arch/architecture.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/check.h"
#include "base/error.h"

namespace caravel::model {
namespace {

using format::Convention;

constexpr const Architecture* kArchitectures[] = {
    &kLlama,    &kMistral, &kMinistral3, &kQwen2, &kQwen3,     &kPhi3,   &kSmolLm3,    &kGranite,   &kGlm,
    &kGlm4,     &kGemma2,  &kGemma3,     &kOlmo2, &kOlmo3,     &kGpt2,   &kOpt,        &kMixtral,   &kQwen2Moe,
    &kQwen3Moe, &kGlm4Moe, &kGraniteMoe, &kOlmoe, &kMiniMaxM2, &kGptOss, &kDeepSeekV2, &kDeepSeekV3};

const std::string* string_at(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get_ptr<const std::string*>() : nullptr;
}

/// Empty entries of a table's list are none.
template <size_t kCount>
bool lists(const std::array<std::string_view, kCount>& names, std::string_view name) {
  return !name.empty() && std::ranges::find(names, name) != names.end();
}

[[noreturn]] void throw_unknown(const format::WeightSource& source, std::string_view named) {
  std::vector<std::string_view> known;
  for (const Architecture* architecture : kArchitectures) {
    const bool gguf = source.convention() == Convention::kGguf;
    if (gguf) {
      if (!architecture->gguf_name.empty()) known.push_back(architecture->gguf_name);
      continue;
    }
    std::ranges::copy_if(architecture->hugging_face_names, std::back_inserter(known),
                         [](std::string_view name) { return !name.empty(); });
  }
  if (source.convention() == Convention::kHuggingFace) known.push_back(kBert.hugging_face_names[0]);
  throw fail<Unsupported>("{}: architecture \"{}\" is not supported; those there are: {}", source.path(), named,
                          fmt::join(known, ", "));
}

}  // namespace

const Architecture& find_architecture(const format::WeightSource& source) {
  const nlohmann::json& config = source.config();
  if (source.convention() == Convention::kGguf) {
    const std::string* name = string_at(config, "general.architecture");
    if (name == nullptr) throw fail<FormatError>("{}: general.architecture is missing", source.path());
    for (const Architecture* architecture : kArchitectures) {
      if (!architecture->gguf_name.empty() && architecture->gguf_name == *name) return *architecture;
    }
    throw_unknown(source, *name);
  }
  // `architectures` first: model_type alone does not tell a language model from a classifier.
  const auto listed = config.find("architectures");
  if (listed != config.end() && listed->is_array() && !listed->empty() && listed->front().is_string()) {
    const std::string& name = listed->front().get_ref<const std::string&>();
    for (const Architecture* architecture : kArchitectures) {
      if (lists(architecture->hugging_face_names, name)) return *architecture;
    }
    throw_unknown(source, name);
  }
  const std::string* type = string_at(config, "model_type");
  if (type == nullptr)
    throw fail<FormatError>("{}: config.json has neither architectures nor model_type", source.path());
  for (const Architecture* architecture : kArchitectures) {
    if (lists(architecture->hugging_face_types, *type)) return *architecture;
  }
  throw_unknown(source, *type);
}

bool names_encoder(const format::WeightSource& source) {
  if (source.convention() != Convention::kHuggingFace) return false;
  const nlohmann::json& config = source.config();
  const auto listed = config.find("architectures");
  if (listed != config.end() && listed->is_array() && !listed->empty() && listed->front().is_string()) {
    return lists(kBert.hugging_face_names, listed->front().get_ref<const std::string&>());
  }
  const std::string* type = string_at(config, "model_type");
  return type != nullptr && lists(kBert.hugging_face_types, *type);
}

const Architecture& architecture_named(std::string_view name) {
  const Architecture* found = nullptr;
  for (const Architecture* architecture : kArchitectures) {
    if (architecture->name == name) found = architecture;
  }
  CARAVEL_CHECK(found != nullptr);
  return *found;
}

}  // namespace caravel::model
