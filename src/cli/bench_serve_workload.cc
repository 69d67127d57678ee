#include "cli/bench_serve_workload.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

namespace caravel::cli {
namespace {

constexpr int kShortest = 4;    // tokens
constexpr int kLongest = 1024;  // tokens
constexpr int kFirstId = 256;
constexpr int kBytesPerToken = 4;  // English text has, roughly

constexpr std::array<std::string_view, 64> kWords = {
    "the", "of",   "and",   "to",   "in",   "is",   "that", "for",  "it",    "as",    "was",   "with",  "be",
    "by",  "on",   "not",   "he",   "his",  "but",  "at",   "are",  "this",  "have",  "from",  "or",    "had",
    "an",  "they", "which", "one",  "you",  "were", "all",  "her",  "she",   "there", "would", "their", "we",
    "him", "been", "has",   "when", "who",  "will", "no",   "more", "if",    "out",   "so",    "said",  "what",
    "up",  "its",  "about", "than", "into", "them", "can",  "only", "other", "time",  "new",   "some"};

/// A log-normal with that mean: exp(mu + sigma^2 / 2).
std::lognormal_distribution<double> log_normal(double mean, double sigma) {
  return std::lognormal_distribution<double>(std::log(mean) - sigma * sigma / 2, sigma);
}

int drawn_length(std::lognormal_distribution<double>& distribution, std::mt19937_64& random) {
  return static_cast<int>(std::clamp(std::round(distribution(random)), double{kShortest}, double{kLongest}));
}

/// Nothing where the row holds no prompt.
std::optional<PlannedRequest> read_row(const Json& row, std::optional<int> output) {
  PlannedRequest planned;
  if (!row.is_object()) return std::nullopt;
  if (row.contains("conversations")) {
    const Json& turns = row["conversations"];
    if (!turns.is_array() || turns.size() < 2 || !turns[0].is_object() || !turns[1].is_object()) return std::nullopt;
    planned.prompt = turns[0].value("value", Json());
    const Json answer = turns[1].value("value", Json());
    if (answer.is_string()) {
      planned.lengths.output =
          std::max(1, static_cast<int>(answer.get_ref<const std::string&>().size()) / kBytesPerToken);
    }
  } else {
    planned.prompt = row.value("prompt", row.value("messages", Json()));
    for (const char* name : {"output_len", "max_tokens", "max_completion_tokens"}) {
      const Json length = row.value(name, Json());
      if (length.is_number_integer()) planned.lengths.output = length.get<int>();
    }
  }
  if (output) planned.lengths.output = *output;
  const bool is_prompt = planned.prompt.is_string() || planned.prompt.is_array();
  if (!is_prompt || planned.prompt.empty() || planned.lengths.output < 1) return std::nullopt;
  return planned;
}

}  // namespace

std::vector<RequestLengths> sharegpt_like_lengths(int count, uint64_t seed) {
  std::mt19937_64 random(seed);
  auto input = log_normal(161, 1.2);
  auto output = log_normal(338, 0.8);
  std::vector<RequestLengths> lengths(static_cast<size_t>(count));
  for (RequestLengths& each : lengths) {
    each.input = drawn_length(input, random);
    each.output = drawn_length(output, random);
  }
  return lengths;
}

std::vector<RequestLengths> range_lengths(int count, std::pair<int, int> input, std::pair<int, int> output,
                                          uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<RequestLengths> lengths(static_cast<size_t>(count));
  const auto draw = [&](int RequestLengths::*length, const char* flag, std::pair<int, int> low_high) {
    const auto [low, high] = low_high;
    if (low < 1 || high < low) throw fail<InvalidArgument>("{} {},{}: give LOW,HIGH, at least 1", flag, low, high);
    for (RequestLengths& each : lengths) {
      each.*length = low + static_cast<int>(random() % static_cast<uint64_t>(high - low + 1));
    }
  };
  draw(&RequestLengths::input, "--input-range", input);
  draw(&RequestLengths::output, "--output-range", output);
  return lengths;
}

std::vector<double> poisson_arrivals(int count, double rate, uint64_t seed) {
  std::vector<double> arrivals(static_cast<size_t>(count), 0.0);
  if (rate <= 0) return arrivals;
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> gap(rate);
  double now = 0;
  for (double& arrival : arrivals) {
    arrival = now;
    now += gap(random);
  }
  return arrivals;
}

Json random_ids(int count, int last, std::mt19937_64& random) {
  const int first = std::min(kFirstId, last);
  Json ids = Json::array();
  for (int i = 0; i < count; ++i)
    ids.push_back(first + static_cast<int>(random() % static_cast<uint64_t>(last - first + 1)));
  return ids;
}

std::string random_words(int count, std::mt19937_64& random) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    if (i > 0) text += ' ';
    text += kWords[random() % kWords.size()];
  }
  return text;
}

std::vector<PlannedRequest> read_dataset(const std::string& path, int count, std::optional<int> output, uint64_t seed) {
  const std::string text = read_file(path);
  std::vector<PlannedRequest> rows;
  const auto add = [&](const Json& row) {
    if (std::optional<PlannedRequest> planned = read_row(row, output)) rows.push_back(std::move(*planned));
  };
  if (const Json whole = Json::parse(text, nullptr, false); whole.is_array()) {
    for (const Json& row : whole) add(row);
  } else {
    int number = 0;
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      const std::string line = text.substr(at, end - at);
      at = end + 1;
      ++number;
      if (line.find_first_not_of(" \t\r") == line.npos) continue;
      const Json row = Json::parse(line, nullptr, false);
      if (row.is_discarded()) throw fail<FormatError>("{}, line {}: not JSON", path, number);
      add(row);
    }
  }
  if (rows.empty())
    throw fail<FormatError>("{}: no row with a prompt and a length of the answer (--output-len gives one)", path);
  std::mt19937_64 random(seed);
  std::ranges::shuffle(rows, random);
  std::vector<PlannedRequest> planned;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) planned.push_back(rows[i % rows.size()]);
  return planned;
}

}  // namespace caravel::cli
