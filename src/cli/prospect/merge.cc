#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/numbers.h"
#include "cli/prospect/commands.h"
#include "cli/prospect/run_folder.h"
#include "cli/usage.h"
#include "nuggets/score_store.h"

namespace caravel::cli {
namespace {

/// What must be equal where runs are parts of one.
Json common_part(Json info) {
  info.erase("shard");
  info.erase("files");
  for (const char* const rows : {"data", "tasks"}) info.at(rows).erase("path");
  info.at("model").erase("path");
  return info;
}

Run merge(const std::vector<Run>& parts, const std::vector<std::string>& folders) {
  struct Line {
    size_t part;
    size_t index;
    size_t number;
  };
  std::vector<Line> lines;
  for (size_t part = 0; part < parts.size(); ++part) {
    if (common_part(parts[part].info) != common_part(parts.front().info)) {
      throw fail<InvalidArgument>("{} and {} are no parts of one run: their {} differ in what was scored, or how",
                                  folders.front(), folders[part], kRunFile);
    }
    for (size_t i = 0; i < parts[part].scores.size(); ++i) lines.push_back({part, i, parts[part].scores[i].number});
  }
  std::ranges::stable_sort(lines, {}, &Line::number);
  for (size_t part = 1; part < parts.size(); ++part) {
    // The tasks' scores too, which tell of a template or a model that was changed under its name.
    if (parts[part].tasks == parts.front().tasks) continue;
    throw fail<InvalidArgument>("{} and {} are no parts of one run: their {} differ", folders.front(), folders[part],
                                kTasksFile);
  }
  Run run{.info = parts.front().info, .scores = {}, .tasks = parts.front().tasks, .gains = {}};
  run.info["shard"] = nullptr;
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto& [part, index, number] = lines[i];
    if (i > 0 && lines[i - 1].number == number) {
      throw fail<InvalidArgument>("row {} was scored in {} and in {}: parts of a run have different rows", number,
                                  folders[lines[i - 1].part], folders[part]);
    }
    const NpyMatrix& gains = parts[part].gains;
    const auto first = gains.values.begin() + static_cast<ptrdiff_t>(index * gains.columns);
    run.gains.values.insert(run.gains.values.end(), first, first + static_cast<ptrdiff_t>(gains.columns));
    run.scores.push_back(parts[part].scores[index]);
  }
  run.gains.rows = run.scores.size();
  run.gains.columns = run.tasks.size();
  return run;
}

/// Of a run over n machines, which parts are not there.
void tell_missing(const std::vector<Run>& parts) {
  std::vector<std::string> there;
  for (const Run& part : parts) {
    const Json& shard = part.info.at("shard");
    if (!shard.is_string()) return;
    there.push_back(shard.get<std::string>());
  }
  const std::string& first = there.front();
  const std::string count = first.substr(first.find('/') + 1);
  std::string missing;
  for (size_t i = 0; i < parse_number<size_t>(count).value_or(0); ++i) {
    const std::string name = fmt::format("{}/{}", i, count);
    if (std::ranges::find(there, name) == there.end()) missing += (missing.empty() ? "" : ", ") + name;
  }
  if (!missing.empty()) {
    log::tell(spdlog::level::warn, fmt::format("of the run's {} parts {} are not among these", count, missing));
  }
}

}  // namespace

void add_prospect_merge(CLI::App& prospect) {
  struct Options {
    std::string out;
    std::vector<std::string> parts;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command = *prospect.add_subcommand("merge", "Make one run of those of several machines (score --shard)");
  command.add_option("-o,--out", options->out, "The folder of the whole run")->required()->check(not_empty());
  command.add_option("PART", options->parts, "The folders of its parts")->required()->check(not_empty());
  command.callback([options] {
    std::vector<Run> parts;
    for (const std::string& folder : options->parts) {
      std::error_code unknown;
      if (std::filesystem::equivalent(folder, options->out, unknown)) {
        throw fail<InvalidArgument>("--out {}: is one of the parts; give another folder", options->out);
      }
      parts.push_back(read_run(folder));
    }
    const Run run = merge(parts, options->parts);
    prepare_run_folder(options->out, run.info);
    nuggets::ScoreStore store(in_folder(options->out, kStoreFile), std::string());
    for (const std::string& folder : options->parts) {
      // Parts that shared one store elsewhere have none of their own.
      const std::string of_part = in_folder(folder, kStoreFile);
      if (is_there(of_part)) store.merge(of_part);
    }
    write_run(options->out, run);
    tell_missing(parts);
    const auto rows = run.info.at("data").at("rows").get<size_t>();
    log::tell(run.scores.size() < rows ? spdlog::level::warn : spdlog::level::info,
              fmt::format("{} of {} rows are in {}", run.scores.size(), rows, options->out));
  });
}

}  // namespace caravel::cli
