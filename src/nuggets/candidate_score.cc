#include "nuggets/candidate_score.h"

#include <cmath>

#include "base/error.h"

namespace caravel::nuggets {
namespace {

Json pair_json(const Interval& interval) { return {interval.low, interval.high}; }

Interval parse_pair(const Json& value) { return {value.at(0).get<double>(), value.at(1).get<double>()}; }

}  // namespace

CandidateScore summarize(const Row& row, const RowScore& score) {
  CandidateScore summary{.id = row.id, .number = row.number, .problem = score.problem};
  if (!summary.problem.empty()) return summary;
  summary.golden_score = score.golden_score();
  summary.wins = score.wins();
  summary.tasks = score.tasks();
  summary.interval = wilson_interval(summary.wins, summary.tasks);
  summary.gain = score.gain();
  if (!std::isfinite(summary.gain)) {
    return {.id = row.id, .number = row.number, .problem = "the model gives log-probabilities that are no numbers"};
  }
  if (score.left() > 0) summary.bounds = {score.least(), score.most()};
  return summary;
}

Candidate candidate_of(const CandidateScore& score) {
  Candidate candidate{.id = score.id};
  if (!score.problem.empty()) return candidate;
  candidate.golden_score = score.golden_score;
  candidate.gain = score.gain;
  if (score.baselines) candidate.length = std::llround(score.baselines->answer_tokens);
  return candidate;
}

std::string to_line(const CandidateScore& score) {
  Json line = {{"id", score.id}, {"row", score.number}};
  if (!score.problem.empty()) {
    line["problem"] = score.problem;
    return to_text(line);
  }
  line["gs"] = score.golden_score;
  line["wins"] = score.wins;
  line["tasks"] = score.tasks;
  line["interval"] = pair_json(score.interval);
  if (score.bounds) line["bounds"] = pair_json(*score.bounds);
  line["gain"] = score.gain;
  if (const auto& baselines = score.baselines) {
    line["answer_tokens"] = baselines->answer_tokens;
    line["perplexity"] = baselines->perplexity;
    line["ifd"] = baselines->ifd ? Json(*baselines->ifd) : Json();
  }
  return to_text(line);
}

CandidateScore parse_candidate_score(std::string_view text) {
  const Json line = parse_json(text);
  try {
    CandidateScore score{.id = line.at("id").get<std::string>(), .number = line.at("row").get<size_t>()};
    score.problem = line.value("problem", "");
    if (!score.problem.empty()) return score;
    score.golden_score = line.at("gs").get<double>();
    score.wins = line.at("wins").get<int>();
    score.tasks = line.at("tasks").get<int>();
    score.interval = parse_pair(line.at("interval"));
    if (line.contains("bounds")) score.bounds = parse_pair(line.at("bounds"));
    score.gain = line.at("gain").get<double>();
    if (line.contains("perplexity")) {
      Baselines& baselines = score.baselines.emplace();
      baselines.answer_tokens = line.at("answer_tokens").get<double>();
      // JSON has no infinity: what is too large for a double is null.
      const Json& perplexity = line.at("perplexity");
      baselines.perplexity = perplexity.is_null() ? HUGE_VAL : perplexity.get<double>();
      if (const Json& ifd = line.at("ifd"); !ifd.is_null()) baselines.ifd = ifd.get<double>();
    }
    return score;
  } catch (const Json::exception& error) {
    throw fail<FormatError>("is no line of a run's scores.jsonl: {}", error.what());
  }
}

}  // namespace caravel::nuggets
