#include "cli/prospect/run_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/float_vector.h"
#include "base/hash.h"
#include "cli/output_file.h"
#include "cli/prospect/data.h"
#include "cli/usage.h"

namespace caravel::cli {
namespace {

/// Calls each(line) for every line that is not empty; what it throws of a line's form is told with the line's number.
template <class Each>
void read_lines(const std::string& path, const Each& each) {
  const std::string content = read_file(path);
  std::string_view rest = content;
  for (size_t number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) continue;
    try {
      each(line);
    } catch (const FormatError& error) {
      throw fail<FormatError>("{}:{}: {}", path, number, error.what());
    }
  }
}

/// Throws Json::exception where what commands look at is missing, or is something else.
void check_info(const Json& info) {
  for (const char* const text : {"path", "columns", "hash"}) info.at("data").at(text).get_ref<const std::string&>();
  info.at("data").at("rows").get<size_t>();
  info.at("tasks").get_ref<const Json::object_t&>();
  info.at("model").at("name").get_ref<const std::string&>();
  info.at("template").get_ref<const std::string&>();
  info.at("seed").get<uint64_t>();
  for (const char* const threshold : {"decide", "race"}) {
    if (!info.at(threshold).is_null()) info.at(threshold).get<double>();
  }
  for (const char* const rule : {"halving", "sieve", "shard", "compat"}) info.at(rule);
  for (const char* const name : {kTasksFile, kGainsFile, kScoresFile}) {
    info.at("files").at(name).get_ref<const std::string&>();
  }
}

Json parse_task(std::string_view text) {
  Json task = parse_json(text);
  try {
    task.at("id").get_ref<const std::string&>();
    const Json& messages = task.at("messages");
    messages.at(messages.size() - 2).at("content").get_ref<const std::string&>();
  } catch (const Json::exception& error) {
    throw fail<FormatError>("is no line of a run's tasks.jsonl: {}", error.what());
  }
  return task;
}

}  // namespace

std::string in_folder(const std::string& folder, const std::string& name) {
  return (std::filesystem::path(folder) / name).string();
}

namespace {

constexpr const char* kRunFiles[] = {kRunFile,   kScoresFile, kTasksFile,   kGainsFile,
                                     kStoreFile, kReportFile, kDroppedFile, kDetailsFile};

bool is_same_file(const std::string& one, const std::string& other) {
  std::error_code unknown;
  return std::filesystem::equivalent(one, other, unknown);
}

/// Whether a run, a finished one or one that goes on, has this folder.
bool is_run_folder(const std::string& folder) {
  if (is_there(in_folder(folder, kStoreFile)) || is_there(in_folder(folder, kGainsFile))) return true;
  const std::string info = in_folder(folder, kRunFile);
  if (!is_there(info)) return false;
  try {
    return parse_json(read_file(info)).contains("caravel");
  } catch (const FormatError&) {
    return false;
  }
}

}  // namespace

void prepare_run_folder(const std::string& folder, const Json& about) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw fail<IoError>("--out {}: cannot be made: {}", folder, error.message());
  const bool is_run = is_run_folder(folder);
  for (const char* const name : kRunFiles) {
    const std::string path = in_folder(folder, name);
    if (!is_there(path)) continue;
    for (const char* const input : {"data", "tasks"}) {
      if (!about.contains(input) || !is_same_file(path, about[input].value("path", ""))) continue;
      throw fail<InvalidArgument>("--out {}: the run would replace {}, its own --{}: give another folder", folder, path,
                                  input);
    }
    if (!is_run) {
      throw fail<InvalidArgument>("--out {}: {} is there, which no run made: give another folder", folder, path);
    }
  }
  check_replaceable(in_folder(folder, kScoresFile));
}

void check_no_run_file(const std::string& folder, const std::string& path) {
  for (const char* const name : kRunFiles) {
    if (!is_same_file(in_folder(folder, name), path)) continue;
    throw fail<InvalidArgument>("--output {}: is the run's own; give another file", path);
  }
}

namespace {

/// What was made of other scores than these would contradict them.
void remove_stale(const std::string& folder, std::string_view scores) {
  const std::string path = in_folder(folder, kScoresFile);
  if (!is_there(path) || read_file(path) == scores) return;
  for (const char* const name :
       {kReportFile, kDroppedFile, kDetailsFile, "selected.json", "selected.jsonl", "selected.csv", "selected.tsv"}) {
    std::error_code ignored;
    std::filesystem::remove(in_folder(folder, name), ignored);
  }
}

}  // namespace

void write_run(const std::string& folder, const Run& run) {
  std::string scores;
  for (const nuggets::CandidateScore& score : run.scores) scores += to_line(score) + "\n";
  std::string tasks;
  for (const Json& task : run.tasks) tasks += to_text(task) + "\n";
  remove_stale(folder, scores);
  const std::string gains = npy_header(run.gains.rows, run.gains.columns) + little_endian(run.gains.values);
  replace_file(in_folder(folder, kGainsFile), gains);
  replace_file(in_folder(folder, kTasksFile), tasks);
  replace_file(in_folder(folder, kScoresFile), scores);
  // Last, with what tells these files from those of an older run: all of them are of one run, or none is read.
  Json info = run.info;
  info["files"] = {
      {kTasksFile, content_hash(tasks)}, {kGainsFile, content_hash(gains)}, {kScoresFile, content_hash(scores)}};
  replace_file(in_folder(folder, kRunFile), info.dump(2) + "\n");
}

Run read_run(const std::string& folder) {
  const std::string info = in_folder(folder, kRunFile);
  if (!is_there(info)) {
    throw fail<NotFound>(
        "{}: there is no finished run, whose {} it would have: caravel prospect score --out {} makes one", folder,
        kRunFile, folder);
  }
  Run run;
  try {
    run.info = parse_json(read_file(info));
    check_info(run.info);
  } catch (const FormatError& error) {
    throw fail<FormatError>("{}: is damaged, or another program's: {}. Score again", info, error.what());
  } catch (const Json::exception& error) {
    throw fail<FormatError>("{}: is damaged, or another program's: {}. Score again", info, error.what());
  }
  for (const char* const name : {kTasksFile, kGainsFile, kScoresFile}) {
    const std::string path = in_folder(folder, name);
    if (run.info.at("files").at(name) == content_hash(read_file(path))) continue;
    throw fail<FormatError>(
        "{}: is not what {} was written with: a run was stopped as it wrote them, or the file was "
        "changed. Score again, which takes over what stands",
        path, kRunFile);
  }
  read_lines(in_folder(folder, kScoresFile),
             [&](std::string_view line) { run.scores.push_back(nuggets::parse_candidate_score(line)); });
  read_lines(in_folder(folder, kTasksFile), [&](std::string_view line) { run.tasks.push_back(parse_task(line)); });
  run.gains = read_npy(in_folder(folder, kGainsFile));
  if (run.gains.rows != run.scores.size() || run.gains.columns != run.tasks.size()) {
    throw fail<FormatError>("{}: {} has {} rows of {}, and there are {} scores and {} tasks: score again", folder,
                            kGainsFile, run.gains.rows, run.gains.columns, run.scores.size(), run.tasks.size());
  }
  return run;
}

std::optional<EarlyRows> early_rows(const Run& run) {
  const auto partial =
      std::ranges::count_if(run.scores, [](const nuggets::CandidateScore& score) { return score.bounds.has_value(); });
  for (const char* const flag : {"decide", "race"}) {
    if (partial == 0 || run.info.at(flag).is_null()) continue;
    const auto threshold = run.info.at(flag).get<double>();
    return EarlyRows{threshold, fmt::format("{} of {} rows were scored by --{} {} and not on all tasks: what is on "
                                            "which side of another threshold, or ranks before what, is an estimate",
                                            partial, run.scores.size(), flag, threshold)};
  }
  return std::nullopt;
}

std::vector<nuggets::Candidate> candidates_of(const Run& run) {
  const bool halved = !run.info.at("halving").is_null();
  std::vector<nuggets::Candidate> candidates;
  for (const nuggets::CandidateScore& score : run.scores) {
    const bool left = halved && score.bounds;
    candidates.push_back(left ? nuggets::Candidate{.id = score.id} : candidate_of(score));
  }
  return candidates;
}

std::string content_hash(std::string_view content) {
  const Hash128 hash = hash128(content.data(), content.size());
  return fmt::format("{:016x}{:016x}", hash.high, hash.low);
}

nuggets::RowFile open_scored_rows(const Run& run, const std::string& path) {
  const Json& data = run.info.at("data");
  const DataOptions options{.path = path.empty() ? data.at("path").get<std::string>() : path,
                            .columns = data.at("columns").get<std::string>()};
  if (path.empty() && options.path == "-") {
    throw InvalidArgument("the rows that were scored came from standard input: give them with --data");
  }
  std::error_code unknown;
  if (path.empty() && !options.path.empty() && !std::filesystem::is_regular_file(options.path, unknown) &&
      is_there(options.path)) {
    throw fail<InvalidArgument>("{}: is no file that can be read again: give the rows that were scored with --data",
                                options.path);
  }
  nuggets::RowFile file = read_rows(options);
  if (content_hash(file.text()) != data.at("hash").get<std::string>()) {
    throw fail<InvalidArgument>(
        "{}: is not what was scored: it was changed since. Give the file as it was with --data, or score it again, "
        "which "
        "takes over what stands",
        options.name());
  }
  return file;
}

void add_run_folder(CLI::App& command, std::string& folder) {
  command.add_option("RUN", folder, "The folder of a run, as caravel prospect score --out has it")
      ->required()
      ->check(not_empty());
}

}  // namespace caravel::cli
