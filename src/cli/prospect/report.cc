#include "cli/prospect/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/float_vector.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/utf8.h"
#include "cli/output_file.h"
#include "cli/prospect/commands.h"
#include "cli/prospect/run_folder.h"
#include "cli/usage.h"
#include "nuggets/diversity.h"
#include "nuggets/select.h"
#include "nuggets/statistics.h"
#include "report/page.h"

namespace caravel::cli {
namespace {

using nuggets::CandidateScore;

/// How much a row's words are like another's: counts of words, hashed into a few places. Good enough to see whether
/// what is left of a set still speaks of many things.
std::vector<float> word_vector(std::string_view text) {
  constexpr size_t kPlaces = 128;
  std::vector<float> counts(kPlaces, 0.0F);
  while (!text.empty()) {
    const size_t begin = text.find_first_not_of(" \t\r\n.,;:!?\"'()");
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(" \t\r\n.,;:!?\"'()"));
    text.remove_prefix(word.size());
    const Hash128 hash = hash128(word.data(), word.size());
    counts[hash.low % kPlaces] += hash.high % 2 == 0 ? 1.0F : -1.0F;
  }
  return unit_vector(std::move(counts));
}

/// A text of run.json; empty where it has none.
std::string text_at(const Json& object, const char* key) {
  return object.contains(key) && object.at(key).is_string() ? object.at(key).get<std::string>() : std::string();
}

std::string one_line(std::string text) {
  std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  const auto is_double = [](char a, char b) { return a == ' ' && b == ' '; };
  text.erase(std::ranges::unique(text, is_double).begin(), text.end());
  return text;
}

/// With its sign, where it is not 0 to so many places.
std::string signed_text(double value, int places) {
  const std::string text = fmt::format("{:+.{}f}", value, places);
  return text.find_first_not_of("+-0.") == text.npos ? text.substr(1) : text;
}

/// The words that two texts have in common; "…" for each that differs.
std::string common_words(std::string_view a, std::string_view b) {
  std::string common;
  while (!a.empty() && !b.empty()) {
    const std::string_view word = a.substr(0, a.find(' '));
    const std::string_view other = b.substr(0, b.find(' '));
    common += (common.empty() ? "" : " ") + (word == other ? std::string(word) : "…");
    a.remove_prefix(std::min(word.size() + 1, a.size()));
    b.remove_prefix(std::min(other.size() + 1, b.size()));
  }
  return common;
}

/// What stands in the way of rows, and of how many.
class Reasons {
 public:
  /// Reasons that differ in their numbers alone are one.
  void add(const std::string& why) {
    std::string kind = why;
    std::erase_if(kind, [](char c) { return c >= '0' && c <= '9'; });
    auto [found, is_new] = by_kind_.try_emplace(kind, why, 0);
    auto& [text, count] = found->second;
    if (text != why) text = common_words(text, why);
    ++count;
  }

  report::Table table(const std::string& title) const {
    constexpr size_t kShown = 10;
    std::vector<std::pair<std::string, size_t>> reasons;
    for (const auto& [kind, reason] : by_kind_) reasons.push_back(reason);
    std::ranges::stable_sort(reasons, std::greater(), &std::pair<std::string, size_t>::second);
    report::Table table{title, {"why", "rows"}, {}};
    size_t others = 0;
    for (const auto& [why, count] : reasons) {
      if (table.rows.size() == kShown) {
        others += count;
      } else {
        table.rows.push_back({why, std::to_string(count)});
      }
    }
    if (others > 0) table.rows.push_back({"other reasons", std::to_string(others)});
    return table;
  }

 private:
  std::map<std::string, std::pair<std::string, size_t>> by_kind_;
};

class ReportWriter {
 public:
  ReportWriter(const Run& run, const nuggets::RowFile& file) : run_(run), file_(file), candidates_(candidates_of(run)) {
    std::vector<const nuggets::Row*> by_number;
    for (const nuggets::Row& row : file.rows()) {
      by_number.resize(std::max(by_number.size(), row.number + 1));
      by_number[row.number] = &row;
    }
    for (const CandidateScore& score : run.scores) {
      rows_.push_back(score.number < by_number.size() ? by_number[score.number] : nullptr);
    }
    ranked_ = nuggets::ranked(candidates_);
    has_baselines_ =
        std::ranges::any_of(run.scores, [](const CandidateScore& score) { return score.baselines.has_value(); });
  }

  std::string html() {
    head();
    left_out();
    scores();
    thresholds();
    tasks();
    baselines();
    examples();
    return page_.html();
  }

 private:
  const Json& info(const char* key) const { return run_.info.at(key); }

  float gain(size_t candidate, size_t task) const { return run_.gains.values[candidate * run_.gains.columns + task]; }

  std::string text_of(size_t candidate, size_t most) const {
    if (rows_[candidate] == nullptr) return {};
    const std::vector<nuggets::Turn>& turns = rows_[candidate]->turns;
    std::string text;
    if (turns.size() > 1) {
      text = fmt::format("(the first of {} turns; the score is the mean of theirs)\n", turns.size());
    }
    return text + cut(turns.front().path().back()->content, most) + "\n→ " + cut(turns.front().answer(), most);
  }

  static std::string cut(std::string_view text, size_t most) {
    if (text.size() <= most) return std::string(text);
    size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return std::string(text.substr(0, end)) + "…";
  }

  std::string task_text(size_t task) const {
    const Json& messages = run_.tasks[task].at("messages");
    return cut(one_line(messages.at(messages.size() - 2).at("content").get<std::string>()), 120);
  }

  std::string model_name() const {
    const std::string name = info("model").at("name").get<std::string>();
    const std::filesystem::path path = text_at(info("model"), "path");
    const std::string file = (path.has_filename() ? path : path.parent_path()).filename().string();
    return file.empty() || file == name ? name : fmt::format("{} ({})", name, file);
  }

  std::string data_source() const {
    std::string path = text_at(info("data"), "path");
    if (path.empty()) path = "the rows that come with the program";
    if (path == "-") path = "standard input";
    const size_t usable = file_.rows().size();
    const std::string of = file_.row_count() > usable ? fmt::format(" of {}", file_.row_count()) : "";
    return fmt::format("{}: {}{} rows", path, usable, of);
  }

  std::string task_source() const {
    const Json& tasks = info("tasks");
    const std::string path = text_at(tasks, "path");
    const auto out = std::ranges::count_if(run_.tasks, [](const Json& task) { return task.contains("problem"); });
    return fmt::format("{}, {}{}", run_.tasks.size(),
                       !path.empty()              ? "from " + path
                       : tasks.contains("kmeans") ? "of the data, by k-means over embeddings"
                                                  : "of the data, drawn at random",
                       out > 0 ? fmt::format("; {} of them could not be scored", out) : "");
  }

  void head() {
    std::string flags;
    for (const char* const rule : {"decide", "race", "halving", "sieve", "shard", "compat"}) {
      if (info(rule).is_null()) continue;
      const std::string value = text_at(run_.info, rule);
      flags += fmt::format("{}--{} {}", flags.empty() ? "" : " ", rule, value.empty() ? to_text(info(rule)) : value);
    }
    std::string candidates = std::to_string(ranked_.size());
    if (const size_t left = left_behind(); left > 0) candidates += fmt::format(", and {} left behind", left);
    const auto failed =
        std::ranges::count_if(run_.scores, [](const CandidateScore& score) { return !score.problem.empty(); });
    if (failed > 0) candidates += fmt::format(", and {} without a score", failed);
    double mean = 0;
    double gain = 0;
    for (const size_t i : ranked_) {
      mean += run_.scores[i].golden_score / static_cast<double>(ranked_.size());
      gain += run_.scores[i].gain / static_cast<double>(ranked_.size());
    }
    page_.text(
        "A candidate's golden score is the share of the predefined tasks whose answers the model finds more likely "
        "with the candidate as an example in front than without (Nuggets, ACL 2024). Above a half it helps more often "
        "than it harms.");
    report::Table table{"",
                        {"what", "value"},
                        {{"model", model_name()},
                         {"data", data_source()},
                         {"candidates", candidates},
                         {"tasks", task_source()},
                         {"template", info("template").get<std::string>()},
                         {"seed", to_text(info("seed"))}}};
    if (!flags.empty()) table.rows.push_back({"flags", flags});
    if (!ranked_.empty()) {
      table.rows.push_back({"mean golden score", fmt::format("{:.3f}", mean)});
      table.rows.push_back({"mean gain", signed_text(gain, 4) + " nats a token"});
    }
    page_.table(table);
  }

  void left_out() {
    Reasons unscored;
    for (const CandidateScore& score : run_.scores) {
      if (!score.problem.empty()) unscored.add(score.problem);
    }
    Reasons unread;
    for (const nuggets::RowProblem& problem : file_.problems()) {
      if (problem.is_skipped) unread.add(problem.what);
    }
    for (const report::Table& table :
         {unread.table("Rows left out when the data were read"), unscored.table("Candidates without a score")}) {
      if (!table.rows.empty()) page_.table(table);
    }
  }

  size_t partly_scored() const {
    return static_cast<size_t>(
        std::ranges::count_if(run_.scores, [](const CandidateScore& score) { return score.bounds.has_value(); }));
  }

  size_t left_behind() const { return info("halving").is_null() ? 0 : partly_scored(); }

  /// What the scores do not tell where work was spared.
  void estimates() {
    if (const std::optional<EarlyRows> early = early_rows(run_)) {
      page_.text(early->statement + ". So are the scores themselves, and what the table says of other thresholds.");
    }
    if (left_behind() > 0) {
      page_.text(fmt::format(
          "{} of {} rows were left behind by --halving {}, and not scored on all tasks: their scores are estimates by "
          "which none is selected, and all that follows is of the others.",
          left_behind(), run_.scores.size(), to_text(info("halving"))));
    }
    if (!info("sieve").is_null()) {
      page_.text(fmt::format(
          "--sieve {} scored first, and what it left out has no score here: all that follows is of the {} rows that "
          "have one.",
          text_at(run_.info, "sieve"), ranked_.size()));
    }
  }

  void scores() {
    page_.heading("Golden scores");
    estimates();
    report::Series all{.name = "candidates"};
    report::Series curve{.name = "golden score"};
    for (size_t rank = 0; rank < ranked_.size(); ++rank) {
      const CandidateScore& score = run_.scores[ranked_[rank]];
      all.x.push_back(score.golden_score);
      curve.x.push_back(static_cast<double>(rank + 1));
      curve.y.push_back(score.golden_score);
      curve.labels.push_back(score.id);
    }
    const report::Axis share{.label = "golden score", .low = 0.0, .high = 1.0};
    page_.plot({.title = "How they are distributed",
                .kind = report::Plot::Kind::kHistogram,
                .x = share,
                .y = {.label = "candidates"},
                .series = {all},
                // Each share of so many tasks has a bar of its own then.
                .bins = static_cast<int>(std::clamp<size_t>(run_.tasks.size() + 1, 5, 101))});
    page_.plot({.title = "From the best to the worst",
                .note = "How many candidates reach each score.",
                .kind = report::Plot::Kind::kRanking,
                .x = {.label = "candidates"},
                .y = share,
                .series = {curve},
                .markers = {{report::Marker::Axis::kY, 0.5, "helps as often as it harms"}}});
    stability();
  }

  void stability() {
    std::vector<nuggets::Outcome> outcomes;
    for (const size_t i : ranked_) {
      for (size_t task = 0; task < run_.tasks.size(); ++task) {
        const float value = gain(i, task);
        outcomes.push_back(std::isnan(value) ? nuggets::Outcome::kNotScored
                           : value > 0       ? nuggets::Outcome::kWin
                                             : nuggets::Outcome::kLoss);
      }
    }
    const nuggets::SplitHalf halves =
        nuggets::split_half(outcomes, static_cast<int64_t>(run_.tasks.size()), info("seed").get<uint64_t>());
    if (std::isnan(halves.rho)) {
      page_.text("There are too few tasks, or too few different scores, to say how stable the scores are.");
      return;
    }
    page_.text(fmt::format(
        "Stability: scores from two halves of the tasks rank the candidates alike with a correlation of {:.2f} ({:.2f} "
        "to {:.2f} over {} splits); of all {} tasks that makes {:.2f} (Spearman and Brown). More tasks make it higher.",
        halves.rho, halves.splits.low, halves.splits.high, halves.splits_counted, run_.tasks.size(), halves.whole));
  }

  void thresholds() {
    std::vector<float> words;
    for (const nuggets::Row* row : rows_) {
      std::string text;
      if (row != nullptr) text = row->turns.front().path().back()->content + " " + row->turns.front().answer();
      const std::vector<float> vector = word_vector(text);
      words.insert(words.end(), vector.begin(), vector.end());
    }
    const nuggets::Matrix matrix{.values = words, .width = rows_.empty() ? 0 : words.size() / rows_.size()};
    report::Table table{"What each threshold leaves", {"threshold", "rows", "share", "diversity"}, {}};
    if (has_baselines_) table.columns.emplace_back("answer tokens");
    for (const nuggets::ThresholdRow& row : threshold_table(candidates_, nuggets::kThresholds, matrix)) {
      table.rows.push_back({fmt::format("{:.2f}", row.threshold), std::to_string(row.rows),
                            fmt::format("{:.1f} %", 100 * static_cast<double>(row.rows) /
                                                        static_cast<double>(std::max<size_t>(ranked_.size(), 1))),
                            row.rows > 1 ? fmt::format("{:.3f}", row.mean_distance) : "–"});
      if (!has_baselines_) continue;
      table.rows.back().push_back(row.rows > 0 && row.mean_length > 0 ? fmt::format("{:.1f}", row.mean_length) : "–");
    }
    page_.table(table);
    page_.text(
        "Diversity is 1 less the mean cosine of two rows' counts of words, hashed into few places: 0 where all rows "
        "say the same, around 1 where they have nothing in common, by chance a little more. A threshold that leaves "
        "few rows, short ones or rows of one kind is too high: tuning on what each of several thresholds leaves tells "
        "which of them is best.");
  }

  void tasks() {
    page_.heading("Tasks");
    struct Rate {
      size_t task;
      double share;
      double gain;
      int count;
    };
    std::vector<Rate> rates;
    for (size_t task = 0; task < run_.tasks.size(); ++task) {
      Rate rate{task, 0, 0, 0};
      for (const size_t i : ranked_) {
        const float value = gain(i, task);
        if (std::isnan(value)) continue;
        ++rate.count;
        rate.share += value > 0;
        rate.gain += value;
      }
      if (rate.count == 0) continue;
      rate.share /= rate.count;
      rate.gain /= rate.count;
      rates.push_back(rate);
    }
    std::ranges::sort(rates, std::greater(), &Rate::share);
    report::Plot plot{.title = "How many candidates help with each task",
                      .kind = report::Plot::Kind::kBars,
                      .x = {.label = "task"},
                      .y = {.label = "share of candidates", .low = 0.0, .high = 1.0},
                      .series = {{.name = "win rate"}}};
    report::Table table{"", {"task", "question", "win rate", "mean gain"}, {}};
    for (const Rate& rate : rates) {
      const std::string id = run_.tasks[rate.task].at("id").get<std::string>();
      plot.bars.push_back(id + ": " + task_text(rate.task));
      plot.series.front().y.push_back(rate.share);
      table.rows.push_back({id, task_text(rate.task), fmt::format("{:.3f}", rate.share), signed_text(rate.gain, 4)});
    }
    page_.plot(plot);
    page_.text("A task that nearly all candidates help with, or nearly none, tells little about them.");
    page_.table(table);
  }

  void baselines() {
    if (!has_baselines_) return;
    page_.heading("Beside other measures");
    report::Series length{.name = "candidates"};
    report::Series ifd{.name = "candidates"};
    std::vector<double> scores;
    std::array<std::vector<double>, 3> values;
    for (const size_t i : ranked_) {
      const CandidateScore& score = run_.scores[i];
      if (!score.baselines) continue;
      scores.push_back(score.golden_score);
      const double difficulty = score.baselines->ifd.value_or(std::nan(""));
      values[0].push_back(score.baselines->answer_tokens);
      values[1].push_back(score.baselines->perplexity);
      values[2].push_back(difficulty);
      length.x.push_back(score.baselines->answer_tokens);
      length.y.push_back(score.golden_score);
      length.labels.push_back(score.id);
      ifd.x.push_back(difficulty);
      ifd.y.push_back(score.golden_score);
      ifd.labels.push_back(score.id);
    }
    report::Table table{"Rank correlation with the golden score", {"measure", "Spearman", "95 %"}, {}};
    const std::array<const char*, 3> names = {"answer length", "perplexity of the answer", "IFD"};
    for (size_t i = 0; i < names.size(); ++i) {
      const nuggets::RankCorrelation rank = nuggets::spearman(values[i], scores);
      if (std::isnan(rank.rho)) continue;
      table.rows.push_back({names[i], fmt::format("{:+.2f}", rank.rho),
                            fmt::format("{:+.2f} to {:+.2f}", rank.interval.low, rank.interval.high)});
    }
    page_.table(table);
    page_.text(
        "IFD, the instruction-following difficulty, is the answer's perplexity after its question over that without it "
        "(Li et al., NAACL 2024).");
    const report::Axis share{.label = "golden score", .low = 0.0, .high = 1.0};
    page_.plot({.title = "Golden score and length",
                .kind = report::Plot::Kind::kScatter,
                .x = {.label = "answer tokens", .logarithmic = true},
                .y = share,
                .series = {length}});
    page_.plot({.title = "Golden score and IFD",
                .kind = report::Plot::Kind::kScatter,
                .x = {.label = "IFD", .logarithmic = true},
                .y = share,
                .series = {ifd}});
  }

  void examples() {
    constexpr size_t kShown = 8;
    if (ranked_.empty()) return;
    page_.heading("Examples");
    // Of few candidates the better half are the best, so that none is both.
    const size_t best = std::min(kShown, (ranked_.size() + 1) / 2);
    show("The best", std::span(ranked_).first(best));
    std::vector<size_t> worst(ranked_.end() - static_cast<ptrdiff_t>(std::min(kShown, ranked_.size() - best)),
                              ranked_.end());
    if (worst.empty()) return;
    std::ranges::reverse(worst);
    show("The worst", worst);
  }

  void show(const std::string& title, std::span<const size_t> which) {
    report::Table table{title, {"id", "golden score", "95 %", "example", "helped most", "harmed most"}, {}};
    for (const size_t i : which) {
      const CandidateScore& score = run_.scores[i];
      table.rows.push_back({score.id, fmt::format("{:.3f} ({} of {})", score.golden_score, score.wins, score.tasks),
                            fmt::format("{:.2f} to {:.2f}", score.interval.low, score.interval.high), text_of(i, 400),
                            extreme(i, 1), extreme(i, -1)});
    }
    page_.table(table);
  }

  /// The task that a candidate did the most to, in the direction of `sign`.
  std::string extreme(size_t candidate, float sign) const {
    std::optional<size_t> found;
    for (size_t task = 0; task < run_.tasks.size(); ++task) {
      const float value = gain(candidate, task);
      if (std::isnan(value) || value * sign <= 0) continue;
      if (!found || value * sign > gain(candidate, *found) * sign) found = task;
    }
    return found ? signed_text(gain(candidate, *found), 3) + ": " + task_text(*found) : "none";
  }

  const Run& run_;
  const nuggets::RowFile& file_;
  std::vector<const nuggets::Row*> rows_;       // by score; nullptr: the data have no such row
  std::vector<nuggets::Candidate> candidates_;  // by score
  std::vector<size_t> ranked_;                  // those with a score, the best first
  bool has_baselines_ = false;
  report::Page page_{"What is worth training on"};
};

}  // namespace

std::string report_run(const std::string& folder, const Run& run, const nuggets::RowFile& file) {
  const std::string path = in_folder(folder, kReportFile);
  replace_file(path, ReportWriter(run, file).html());
  return path;
}

void add_prospect_report(CLI::App& prospect) {
  struct Options {
    std::string folder;
    std::string data;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command = *prospect.add_subcommand("report", "A run as a page: scores, thresholds, tasks, examples");
  add_run_folder(command, options->folder);
  command.add_option("--data", options->data, "The rows that were scored")
      ->default_str("where they were then")
      ->check(not_empty());
  command.callback([options] {
    const Run run = read_run(options->folder);
    log::tell(spdlog::level::info, fmt::format("{}: open it in a browser",
                                               report_run(options->folder, run, open_scored_rows(run, options->data))));
  });
}

}  // namespace caravel::cli
