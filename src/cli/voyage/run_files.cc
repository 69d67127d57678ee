#include "cli/voyage/run_files.h"

#include <filesystem>
#include <functional>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "cli/output_file.h"
#include "cli/usage.h"
#include "minecraft/minecraft_environment.h"
#include "mini/mini_environment.h"
#include "voyager/exports.h"
#include "voyager/report.h"
#include "voyager/skill_library.h"

namespace caravel::cli {
namespace {

constexpr const char* kVoyageStore = "voyage.db";
constexpr const char* kWritten[] = {kVoyageReport, "map.png", "skills", "events.jsonl", "calls.jsonl"};
constexpr int kMapPixels = 1024;

std::string file_of(const std::string& folder, const char* name) {
  return (std::filesystem::path(folder) / name).string();
}

/// In the place of an older one, or of a link of its name: the folder's files are the run's, what is elsewhere is not.
void write_file(const std::string& path, const std::function<void(const voyager::Sink&)>& write) {
  FileBeside file(path, FileBeside::Links::kReplaced);
  write([&](std::string_view bytes) { file.write(bytes); });
  file.take_place();
}

}  // namespace

bool holds_run(const std::string& folder) {
  if (!is_there(file_of(folder, kVoyageStore))) return false;
  return !voyager::RunStore(folder, voyager::RunStore::Open::kReading).setup().is_null();
}

void check_begins(const std::string& folder) {
  if (holds_run(folder)) {
    throw fail<UsageError>("--out {}: a run is there already; --resume goes on with it, another --out begins one",
                           folder);
  }
  std::error_code unknown;
  const bool was_hardly_begun = is_there(file_of(folder, kVoyageStore));
  for (const char* const name : kWritten) {
    if (!was_hardly_begun || !is_there(file_of(folder, name))) continue;
    throw fail<UsageError>("--out {}: has the {} of a run, whose voyage.db is empty; give another", folder, name);
  }
  if (is_there(folder) && !was_hardly_begun && !std::filesystem::is_empty(folder, unknown)) {
    throw fail<UsageError>("--out {}: is there, and no empty folder; give another", folder);
  }
}

void check_holds_run(const std::string& folder, std::string_view hint) {
  if (!holds_run(folder)) throw fail<UsageError>("{}: no run is there; {}", folder, hint);
}

void write_run_files(const std::string& folder, const voyager::RunStore& run) {
  const Json setup = run.setup();
  if (setup.is_null()) return;
  const std::unique_ptr<voyager::Environment> world = open_world(setup.at("world").at("name").get<std::string>());
  const auto saved = run.world();
  const voyager::MapImage map = saved ? world->saved_map(*saved, kMapPixels) : voyager::MapImage();
  write_file(file_of(folder, "events.jsonl"), [&](const voyager::Sink& sink) { write_events(run, sink); });
  write_file(file_of(folder, "calls.jsonl"), [&](const voyager::Sink& sink) { write_calls(run, sink); });
  export_skills(run.skills(), file_of(folder, "skills"), setup.at("world").at("extension").get<std::string>());
  if (map.width > 0)
    write_file(file_of(folder, "map.png"), [&](const voyager::Sink& sink) { sink(map_png(run, map)); });
  write_file(file_of(folder, kVoyageReport), [&](const voyager::Sink& sink) { sink(report_page(run, map)); });
}

std::unique_ptr<voyager::Environment> open_world(const std::string& name, std::optional<double> clock) {
  if (name == "minecraft") {
    minecraft::WorldSettings settings;
    settings.clock = clock.value_or(settings.clock);
    return minecraft::make_environment(settings);
  }
  if (clock)
    throw fail<UsageError>("--clock: the time of the world '{}' is its own; it is for --world minecraft", name);
  if (name == "mini") return mini::make_environment();
  if (const auto server = minecraft::address_in(name)) return minecraft::make_visiting_environment(*server);
  throw fail<Unsupported>("the world '{}' is none of this program's: there are mini, minecraft and HOST:PORT", name);
}

}  // namespace caravel::cli
