#include "format/model_path.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/near_miss.h"
#include "base/printable.h"

namespace caravel::format {
namespace {

namespace fs = std::filesystem;

struct KnownModel {
  std::string_view name;
  std::string_view file;                  // or folder
  std::optional<float> temperature = {};  // by its card, where its file does not say it
  std::optional<float> top_p = {};
};

// What scripts/fetch_model fetches, the default first.
constexpr KnownModel kKnownModels[] = {
    {"smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", 0.2F, 0.9F},
    {"gemma3-270m", "gemma-3-270m-q4_k_m.gguf"},
    {"minilm", "all-MiniLM-L6-v2"},
};

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? std::optional<std::string>(value) : std::nullopt;
}

fs::path home_cache() {
  if (const auto cache = environment("XDG_CACHE_HOME")) return *cache;
  return fs::path(environment("HOME").value_or("/")) / ".cache";
}

/// A file that has a name of its own.
bool is_known(std::string_view file) {
  return std::ranges::find(kKnownModels, file, &KnownModel::file) != std::end(kKnownModels);
}

/// org/name: what the Hub calls a model.
struct HubName {
  std::string organisation;
  std::string name;
  std::string quantisation;  // of "org/name:Q4_K_M", as llama.cpp and Ollama write it

  std::string text() const { return organisation + "/" + name; }
};

std::optional<HubName> parse_hub_name(std::string_view text) {
  for (const std::string_view host : {"https://", "hf.co/", "huggingface.co/"}) {
    if (text.starts_with(host)) text.remove_prefix(host.size());
  }
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  HubName hub{.organisation = std::string(text.substr(0, slash)), .name = std::string(text.substr(slash + 1))};
  if (const size_t colon = hub.name.find(':'); colon != std::string::npos) {
    hub.quantisation = hub.name.substr(colon + 1);
    hub.name.resize(colon);
  }
  const auto is_part = [](std::string_view part) {
    constexpr std::string_view kMarks = "-_.";
    const auto is_letter = [](unsigned char c) { return std::isalnum(c) != 0 && c < 0x80; };
    return !part.empty() && is_letter(part.front()) && part.find("..") == part.npos &&
           std::ranges::all_of(part, [&](char c) { return is_letter(c) || kMarks.find(c) != kMarks.npos; });
  };
  const bool is_file = fs::path(hub.name).extension() == ".gguf";
  if (!is_part(hub.organisation) || !is_part(hub.name) || is_file) return std::nullopt;
  if (!hub.quantisation.empty() && !is_part(hub.quantisation)) return std::nullopt;
  return hub;
}

// A file of the cache by its name, with or without .gguf. A name is one component: nothing climbs out of the cache.
std::optional<std::string> in_cache(const fs::path& cache, const std::string& model) {
  if (model.find('/') != std::string::npos || model == "." || model == "..") return std::nullopt;
  for (const std::string& name : {model, model + ".gguf"}) {
    if (is_there(cache / name)) return (cache / name).string();
  }
  return std::nullopt;
}

/// "model-Q4_K_M.gguf" has the type Q4_K_M, in upper case or lower, and not Q4_K.
bool has_type(const std::string& file, std::string type) {
  const auto lower = [](std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
  };
  const std::string name = lower(file);
  type = lower(type);
  const auto is_letter = [&name](size_t at) { return std::isalnum(static_cast<unsigned char>(name[at])) != 0; };
  for (size_t at = name.find(type); at != name.npos; at = name.find(type, at + 1)) {
    const size_t end = at + type.size();
    const bool ends = end == name.size() || (!is_letter(end) && name[end] != '_');
    if (ends && (at == 0 || !is_letter(at - 1))) return true;
  }
  return false;
}

bool is_later_part(const std::string& file) {
  return file.find("-of-") != file.npos && file.find("-00001-of-") == file.npos;
}

/// The GGUF files of a snapshot, also in folders of it; of one that is in parts the first. In alphabetical order.
std::vector<std::string> gguf_files(const fs::path& snapshot) {
  std::vector<std::string> files;
  std::error_code error;
  const auto each = fs::directory_options::skip_permission_denied;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(snapshot, each, error)) {
    const std::string name = entry.path().lexically_relative(snapshot).string();
    if (entry.path().extension() == ".gguf" && !is_later_part(name)) files.push_back(name);
  }
  std::ranges::sort(files);
  return files;
}

/// No more of them than a line has room for.
std::string listed(std::vector<std::string> files) {
  constexpr size_t kMost = 8;
  const size_t more = files.size() - std::min(files.size(), kMost);
  files.resize(files.size() - more);
  return fmt::format("{}{}", fmt::join(files, ", "), more == 0 ? "" : fmt::format(" and {} more", more));
}

// hub/models--ORG--NAME/snapshots/COMMIT, the commit being what refs/main says. The folder itself, or, where it has no
// config.json or a type is named, its GGUF file: the only one, or the only one of that type.
std::optional<std::string> in_hub(const fs::path& hub, const std::string& model) {
  const std::optional<HubName> name = parse_hub_name(model);
  if (!name) return std::nullopt;
  const fs::path repository = hub / ("models--" + name->organisation + "--" + name->name);
  std::string commit;
  std::ifstream(repository / "refs" / "main") >> commit;
  const fs::path snapshot = repository / "snapshots" / commit;
  if (commit.empty() || commit.find('/') != commit.npos || !is_there(snapshot)) return std::nullopt;
  const std::string& type = name->quantisation;
  if (type.empty() && is_there(snapshot / "config.json")) return snapshot.string();
  const std::vector<std::string> all = gguf_files(snapshot);
  std::vector<std::string> files = all;
  if (!type.empty()) std::erase_if(files, [&type](const std::string& file) { return !has_type(file, type); });
  if (files.size() == 1) return (snapshot / files.front()).string();
  if (files.size() > 1) {
    throw fail<InvalidArgument>(
        "{} has several GGUF files: {}; name the type of one, as in {}:Q4_K_M, or give its path in {}", model,
        listed(files), name->text(), snapshot.string());
  }
  if (all.empty()) return std::nullopt;
  throw fail<NotFound>("{} has no GGUF file of the type {} in {}: there is {}; hf download {} --include '*{}*' gets it",
                       name->text(), type, snapshot.string(), listed(all), name->text(), type);
}

/// The script is not installed with the binary.
std::string how_to_fetch(std::string_view known) {
  return fmt::format(
      "scripts/fetch_model {0}, in the folder of Caravel's sources, fetches {0}; hf download org/name (pip install "
      "huggingface_hub) any of the Hub's",
      known);
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

/// What may have been meant by a path that is not there: the nearest folder or GGUF file beside it.
std::string near_path(const fs::path& path) {
  const fs::path folder = path.parent_path();
  std::vector<std::string> names = names_in(folder.empty() ? "." : folder);
  std::erase_if(names, [&](const std::string& name) {
    std::error_code error;
    return name == path.filename() ||
           (fs::path(name).extension() != ".gguf" && !fs::is_directory(folder / name, error));
  });
  const std::string near = near_miss(path.filename().string(), names);
  return near.empty() ? "" : (folder / near).string();
}

std::string not_in_hub(const HubName& hub, const fs::path& folder) {
  const std::string get =
      fmt::format("hf download {}{}", hub.text(),
                  hub.quantisation.empty() ? "" : fmt::format(" --include '*{}*'", hub.quantisation));
  if (is_there(folder / ("models--" + hub.organisation + "--" + hub.name))) {
    return fmt::format("the folder of {} in {} has no whole model; go on: {}", hub.text(), folder.string(), get);
  }
  return fmt::format("it is no path, and not in the Hub's cache, {}; get it: {}", folder.string(), get);
}

/// What to do about a MODEL that is nowhere.
std::string missing_model(const std::string& model) {
  std::vector<std::string> names = model_names();
  for (const KnownModel& known : kKnownModels) names.emplace_back(known.name);
  std::erase(names, model);
  std::string near = near_miss(model, names);
  if (near.empty()) near = near_path(model);
  std::string problem;
  std::error_code error;
  if (fs::is_symlink(model, error)) {
    problem = "it is a link that leads to nothing";
  } else if (const auto name = parse_hub_name(model)) {
    problem = not_in_hub(*name, hub_directory());
  } else if (model.starts_with("https://") || model.starts_with("http://")) {
    problem = "addresses are not fetched: hf download org/name, or curl -LO, and give the name, or the file";
  } else if (model.find('/') != model.npos) {
    problem = "there is no such file or folder";
  } else {
    problem = fmt::format("not a path, not in {}, not in {}", cache_directory(), hub_directory());
    if (near.empty()) problem += fmt::format("; {}", how_to_fetch(kKnownModels[0].name));
  }
  if (!near.empty()) problem += fmt::format("; the nearest is '{}'", printable(near));
  return problem;
}

}  // namespace

std::string cache_directory() {
  if (const auto cache = environment("CARAVEL_CACHE")) return *cache;
  return (home_cache() / "caravel").string();
}

std::string hub_directory() {
  if (const auto hub = environment("HF_HUB_CACHE")) return *hub;
  if (const auto home = environment("HF_HOME")) return (fs::path(*home) / "hub").string();
  return (home_cache() / "huggingface" / "hub").string();
}

std::vector<std::string> model_names() {
  const fs::path cache = cache_directory();
  std::vector<std::string> names;
  for (const KnownModel& known : kKnownModels) {
    if (is_there(cache / known.file)) names.emplace_back(known.name);
  }
  const size_t known_count = names.size();
  for (const std::string& name : names_in(cache)) {
    const fs::path path = name;
    if (path.extension() == ".gguf" && !is_later_part(name) && !is_known(name)) names.push_back(path.stem().string());
    if (is_there(cache / path / "config.json") && !is_known(name)) names.push_back(name);
  }
  constexpr std::string_view kBegin = "models--";
  for (const std::string& name : names_in(hub_directory())) {
    const size_t end = name.find("--", kBegin.size());
    if (!name.starts_with(kBegin) || end == name.npos) continue;
    names.push_back(name.substr(kBegin.size(), end - kBegin.size()) + "/" + name.substr(end + 2));
  }
  std::sort(names.begin() + static_cast<ptrdiff_t>(known_count), names.end());
  return names;
}

std::string resolve_model(const std::string& model) {
  const fs::path cache = cache_directory();
  if (!model.empty() && is_there(model)) return model;
  for (const KnownModel& known : kKnownModels) {
    if (model != known.name && !(model.empty() && &known == &kKnownModels[0])) continue;
    const fs::path file = cache / known.file;
    if (is_there(file)) return file.string();
    throw fail<NotFound>("model {} is not in {}; {}", known.name, cache.string(), how_to_fetch(known.name));
  }
  if (const auto found = in_cache(cache, model)) return *found;
  if (const auto found = in_hub(hub_directory(), model)) return *found;
  throw fail<NotFound>("no model {}: {}", printable(model), missing_model(model));
}

GenerationDefaults card_defaults(const std::string& path) {
  const std::string file = fs::path(path).filename().string();
  const auto* const known = std::ranges::find(kKnownModels, file, &KnownModel::file);
  if (known == std::end(kKnownModels)) return {};
  return {.temperature = known->temperature, .top_p = known->top_p};
}

}  // namespace caravel::format
