#include "cli/prospect/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
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

class ReportWriter {
 public:
  ReportWriter(const Run& run, const nuggets::RowFile& file) : run_(run) {
    std::vector<const nuggets::Row*> by_number;
    for (const nuggets::Row& row : file.rows()) {
      by_number.resize(std::max(by_number.size(), row.number + 1));
      by_number[row.number] = &row;
    }
    for (const CandidateScore& score : run.scores) {
      rows_.push_back(score.number < by_number.size() ? by_number[score.number] : nullptr);
      candidates_.push_back(candidate_of(score));
    }
    ranked_ = nuggets::ranked(candidates_);
  }

  std::string html() {
    head();
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
    const nuggets::Turn& turn = rows_[candidate]->turns.front();
    return cut(turn.path().back()->content, most) + "\n→ " + cut(turn.answer(), most);
  }

  static std::string cut(std::string_view text, size_t most) {
    if (text.size() <= most) return std::string(text);
    size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return std::string(text.substr(0, end)) + "…";
  }

  std::string task_text(size_t task) const {
    const Json& messages = run_.tasks[task].at("messages");
    return cut(messages.at(messages.size() - 2).at("content").get<std::string>(), 120);
  }

  void head() {
    std::string how;
    for (const char* const rule : {"decide", "race", "halving", "sieve", "shard", "compat"}) {
      if (!info(rule).is_null()) how += fmt::format(" --{} {}", rule, to_text(info(rule)));
    }
    const size_t failed = run_.scores.size() - ranked_.size();
    double mean = 0;
    double gain = 0;
    for (const size_t i : ranked_) {
      mean += run_.scores[i].golden_score / static_cast<double>(ranked_.size());
      gain += run_.scores[i].gain / static_cast<double>(ranked_.size());
    }
    page_.text(
        "A candidate's golden score is the share of the predefined tasks whose answers the model finds more likely "
        "with "
        "the candidate as an example in front than without (Nuggets, ACL 2024). Above a half it helps more often than "
        "it harms.");
    page_.table({"",
                 {"what", "value"},
                 {{"model", info("model").at("name").get<std::string>()},
                  {"candidates", fmt::format("{}{}", ranked_.size(),
                                             failed > 0 ? fmt::format(", and {} without a score", failed) : "")},
                  {"tasks", std::to_string(run_.tasks.size())},
                  {"template", info("template").get<std::string>() + how},
                  {"mean golden score", fmt::format("{:.3f}", mean)},
                  {"mean gain", fmt::format("{:+.4f} nats a token", gain)}}});
  }

  void scores() {
    page_.heading("Golden scores");
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
                .bins = static_cast<int>(std::clamp<size_t>(run_.tasks.size(), 5, 40))});
    page_.plot({.title = "From the best to the worst",
                .note = "How many candidates reach each score.",
                .kind = report::Plot::Kind::kStep,
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
        "to "
        "{:.2f} over {} splits); of all {} tasks that makes {:.2f} (Spearman and Brown). More tasks make it higher.",
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
    report::Table table{"What each threshold leaves", {"threshold", "rows", "share", "answer tokens", "diversity"}, {}};
    for (const nuggets::ThresholdRow& row : threshold_table(candidates_, nuggets::kThresholds, matrix)) {
      table.rows.push_back({fmt::format("{:.2f}", row.threshold), std::to_string(row.rows),
                            fmt::format("{:.1f} %", 100 * static_cast<double>(row.rows) /
                                                        static_cast<double>(std::max<size_t>(ranked_.size(), 1))),
                            row.rows > 0 && row.mean_length > 0 ? fmt::format("{:.1f}", row.mean_length) : "–",
                            row.rows > 1 ? fmt::format("{:.3f}", row.mean_distance) : "–"});
    }
    page_.table(table);
    page_.text(
        "Diversity is 1 less the mean likeness of two rows' words. A threshold that leaves few rows, short ones or "
        "rows of "
        "one kind is too high: tuning on several candidates tells which is best.");
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
      plot.bars.push_back(id);
      plot.series.front().y.push_back(rate.share);
      table.rows.push_back(
          {id, task_text(rate.task), fmt::format("{:.3f}", rate.share), fmt::format("{:+.4f}", rate.gain)});
    }
    page_.plot(plot);
    page_.text("A task that nearly all candidates help with, or nearly none, tells little about them.");
    page_.table(table);
  }

  void baselines() {
    if (std::ranges::none_of(run_.scores, [](const CandidateScore& score) { return score.baselines.has_value(); })) {
      return;
    }
    page_.heading("Beside other measures");
    report::Series length{.name = "candidates"};
    report::Series ifd{.name = "candidates"};
    std::vector<double> scores;
    std::array<std::vector<double>, 3> values;
    for (const CandidateScore& score : run_.scores) {
      if (!score.problem.empty() || !score.baselines) continue;
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
    page_.heading("Examples");
    const size_t shown = std::min(kShown, ranked_.size());
    show("The best", std::span(ranked_).first(shown));
    std::vector<size_t> worst(ranked_.end() - static_cast<ptrdiff_t>(shown), ranked_.end());
    std::ranges::reverse(worst);
    show("The worst", worst);
  }

  void show(const std::string& title, std::span<const size_t> which) {
    report::Table table{title, {"id", "golden score", "example", "helped most", "harmed most"}, {}};
    for (const size_t i : which) {
      const CandidateScore& score = run_.scores[i];
      table.rows.push_back({score.id, fmt::format("{:.3f} ({} of {})", score.golden_score, score.wins, score.tasks),
                            text_of(i, 400), extreme(i, 1), extreme(i, -1)});
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
    return found ? fmt::format("{:+.3f}: {}", gain(candidate, *found), task_text(*found)) : "none";
  }

  const Run& run_;
  std::vector<const nuggets::Row*> rows_;       // by score; nullptr: the data have no such row
  std::vector<nuggets::Candidate> candidates_;  // by score
  std::vector<size_t> ranked_;                  // those with a score, the best first
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
