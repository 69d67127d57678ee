#include "model/arch/architecture.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "model/config_reader.h"

namespace caravel::model {
namespace {

using format::Convention;

constexpr const Architecture* kArchitectures[] = {
    &kLlama,    &kMistral, &kMinistral3, &kQwen2, &kQwen3,     &kPhi3,   &kSmolLm3,    &kGranite,   &kGlm,
    &kGlm4,     &kGemma2,  &kGemma3,     &kOlmo2, &kOlmo3,     &kGpt2,   &kOpt,        &kMixtral,   &kQwen2Moe,
    &kQwen3Moe, &kGlm4Moe, &kGraniteMoe, &kOlmoe, &kMiniMaxM2, &kGptOss, &kDeepSeekV2, &kDeepSeekV3};

/// nullptr: there is none. Throws FormatError for what is no text.
const std::string* string_at(const format::WeightSource& source, const char* key) {
  const auto found = source.config().find(key);
  if (found == source.config().end() || found->is_null()) return nullptr;
  if (found->is_string()) return found->get_ptr<const std::string*>();
  throw fail<FormatError>("{}: {} is {}; it must be a text", source.path(), key, ConfigReader::shown(*found));
}

/// The first of a config.json's `architectures`; the same.
const std::string* listed_class(const format::WeightSource& source) {
  const auto listed = source.config().find("architectures");
  if (listed == source.config().end() || listed->is_null()) return nullptr;
  if (!listed->is_array() || (!listed->empty() && !listed->front().is_string())) {
    throw fail<FormatError>("{}: architectures is {}; it must be a list of texts", source.path(),
                            ConfigReader::shown(*listed));
  }
  return listed->empty() ? nullptr : listed->front().get_ptr<const std::string*>();
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
  if (source.convention() == Convention::kGguf) {
    const std::string* name = string_at(source, "general.architecture");
    if (name == nullptr) throw fail<FormatError>("{}: general.architecture is missing", source.path());
    for (const Architecture* architecture : kArchitectures) {
      if (!architecture->gguf_name.empty() && architecture->gguf_name == *name) return *architecture;
    }
    throw_unknown(source, *name);
  }
  // `architectures` first: model_type alone does not tell a language model from a classifier.
  if (const std::string* name = listed_class(source)) {
    for (const Architecture* architecture : kArchitectures) {
      if (lists(architecture->hugging_face_names, *name)) return *architecture;
    }
    throw_unknown(source, *name);
  }
  const std::string* type = string_at(source, "model_type");
  if (type == nullptr)
    throw fail<FormatError>("{}: config.json has neither architectures nor model_type", source.path());
  for (const Architecture* architecture : kArchitectures) {
    if (lists(architecture->hugging_face_types, *type)) return *architecture;
  }
  throw_unknown(source, *type);
}

bool names_encoder(const format::WeightSource& source) {
  if (source.convention() != Convention::kHuggingFace) return false;
  if (const std::string* name = listed_class(source)) return lists(kBert.hugging_face_names, *name);
  const std::string* type = string_at(source, "model_type");
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
