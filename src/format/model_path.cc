#include "format/model_path.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "format/printable.h"

namespace caravel::format {
namespace {

namespace fs = std::filesystem;

struct KnownModel {
  std::string_view name;
  std::string_view file;
  std::optional<float> temperature = {};  // by its card, where its file does not say it
  std::optional<float> top_p = {};
};

// What scripts/fetch_model fetches, the default first.
constexpr KnownModel kKnownModels[] = {
    {"smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", 0.2F, 0.9F},
    {"gemma3-270m", "gemma-3-270m-q4_k_m.gguf"},
};

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? std::optional<std::string>(value) : std::nullopt;
}

fs::path home_cache() {
  if (const auto cache = environment("XDG_CACHE_HOME")) return *cache;
  return fs::path(environment("HOME").value_or("/")) / ".cache";
}

fs::path hugging_face_hub() {
  if (const auto hub = environment("HF_HUB_CACHE")) return *hub;
  if (const auto home = environment("HF_HOME")) return fs::path(*home) / "hub";
  return home_cache() / "huggingface" / "hub";
}

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// A file of the cache by its name, with or without .gguf. A name is one component: nothing climbs out of the cache.
std::optional<std::string> in_cache(const fs::path& cache, const std::string& model) {
  if (model.find('/') != std::string::npos || model == "." || model == "..") return std::nullopt;
  for (const std::string& name : {model, model + ".gguf"}) {
    if (is_there(cache / name)) return (cache / name).string();
  }
  return std::nullopt;
}

// hub/models--ORG--NAME/snapshots/COMMIT, the commit being what refs/main says. The folder itself, or the only GGUF
// file in it where it has no config.json.
std::optional<std::string> in_hub(const fs::path& hub, const std::string& model) {
  const size_t slash = model.find('/');
  if (slash == 0 || slash == std::string::npos || slash + 1 == model.size() ||
      model.find('/', slash + 1) != model.npos || model.find("..") != model.npos) {
    return std::nullopt;
  }
  const fs::path repository = hub / ("models--" + model.substr(0, slash) + "--" + model.substr(slash + 1));
  std::string commit;
  std::ifstream(repository / "refs" / "main") >> commit;
  const fs::path snapshot = repository / "snapshots" / commit;
  if (commit.empty() || commit.find('/') != commit.npos || !is_there(snapshot)) return std::nullopt;
  if (is_there(snapshot / "config.json")) return snapshot.string();
  std::optional<std::string> only;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(snapshot, error)) {
    if (entry.path().extension() != ".gguf") continue;
    if (only) {
      throw fail<InvalidArgument>("{} has several GGUF files in {}: give the path of one", model, snapshot.string());
    }
    only = entry.path().string();
  }
  return only;
}

}  // namespace

std::string cache_directory() {
  if (const auto cache = environment("CARAVEL_CACHE")) return *cache;
  return (home_cache() / "caravel").string();
}

std::string resolve_model(const std::string& model) {
  const fs::path cache = cache_directory();
  if (!model.empty() && is_there(model)) return model;
  for (const KnownModel& known : kKnownModels) {
    if (model != known.name && !(model.empty() && &known == &kKnownModels[0])) continue;
    const fs::path file = cache / known.file;
    if (is_there(file)) return file.string();
    throw fail<NotFound>("model {} is not in {}; fetch it: scripts/fetch_model {}", known.name, cache.string(),
                         known.name);
  }
  if (const auto found = in_cache(cache, model)) return *found;
  const fs::path hub = hugging_face_hub();
  if (const auto found = in_hub(hub, model)) return *found;
  throw fail<NotFound>("no model {}: not a path, not in {}, not in {}; scripts/fetch_model smollm2 fetches one",
                       printable(model), cache.string(), hub.string());
}

GenerationDefaults card_defaults(const std::string& path) {
  const std::string file = fs::path(path).filename().string();
  const auto* const known = std::ranges::find(kKnownModels, file, &KnownModel::file);
  if (known == std::end(kKnownModels)) return {};
  return {.temperature = known->temperature, .top_p = known->top_p};
}

}  // namespace caravel::format
