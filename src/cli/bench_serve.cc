#include "cli/bench_serve.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "cli/bench_serve_load.h"
#include "cli/bench_serve_page.h"
#include "cli/bench_serve_report.h"
#include "cli/bench_serve_workload.h"
#include "cli/flags.h"
#include "cli/output_file.h"
#include "cli/usage.h"

namespace caravel::cli {
namespace {

struct ServeBenchOptions {
  std::string base_url = "http://127.0.0.1:8000";
  std::string endpoint = "completions";
  std::string model;
  std::string api_key;
  double request_rate = 0;
  int max_concurrency = 0;
  int num_prompts = 100;
  std::optional<std::pair<int, int>> input_range;
  std::optional<int> output_len;
  std::string dataset;
  std::string prompts = "ids";
  int max_token_id = 8191;
  bool ignore_eos = false;
  std::string extra_body;
  std::vector<std::string> slos;
  double timeout = 600;
  uint64_t seed = 0;
  std::string json_file;
  std::string plot_file;
};

constexpr int kRangeOutput = 128;  // tokens, as `bench throughput`

/// How a server counts random words: their tokens, and what its chat template adds.
struct WordCount {
  double tokens_per_word = 1;
  double overhead = 0;  // tokens

  int words_for(int tokens) const {
    return std::max(1, static_cast<int>(std::lround((tokens - overhead) / tokens_per_word)));
  }
};

WordCount count_words(const LoadTarget& target, std::mt19937_64& random) {
  constexpr int kFew = 8;
  constexpr int kMany = 200;
  const auto tokens_of = [&](int words) {
    const RequestRecord record = try_once(target, {random_words(words, random), {.input = words, .output = 1}});
    return static_cast<double>(record.input_tokens);
  };
  const double few = tokens_of(kFew);
  const double per_word = (tokens_of(kMany) - few) / (kMany - kFew);
  if (per_word < 0.5) return {};  // not a count of tokens
  return {.tokens_per_word = per_word, .overhead = few - kFew * per_word};
}

LoadTarget make_target(const ServeBenchOptions& options) {
  LoadTarget target;
  target.url = http::parse_url(options.base_url);
  target.chat = options.endpoint == "chat";
  target.api_key = options.api_key;
  if (const char* key = std::getenv("OPENAI_API_KEY"); target.api_key.empty() && key != nullptr) target.api_key = key;
  target.ignore_eos = options.ignore_eos;
  target.timeout = std::chrono::milliseconds(std::llround(1e3 * options.timeout));
  if (!options.extra_body.empty()) {
    target.extra_body = Json::parse(options.extra_body, nullptr, false);
    if (!target.extra_body.is_object()) throw fail<UsageError>("--extra-body: not a JSON object");
  }
  target.model = options.model.empty() ? served_model(target) : options.model;
  return target;
}

/// The load, after one request has shown that the server answers.
std::vector<PlannedRequest> plan_load(const ServeBenchOptions& options, const LoadTarget& target) {
  std::vector<PlannedRequest> planned;
  if (!options.dataset.empty()) {
    planned = read_dataset(options.dataset, options.num_prompts, options.output_len, options.seed);
    try_once(target, {planned.front().prompt, {.input = 0, .output = 1}});
    return planned;
  }
  std::vector<RequestLengths> lengths;
  if (options.input_range) {
    const int output = options.output_len.value_or(kRangeOutput);
    lengths = range_lengths(options.num_prompts, *options.input_range, {output, output}, options.seed);
  } else {
    lengths = sharegpt_like_lengths(options.num_prompts, options.seed);
    if (options.output_len) {
      for (RequestLengths& each : lengths) each.output = *options.output_len;
    }
  }
  std::mt19937_64 random(options.seed + 1);  // apart from the lengths' draws
  const bool words = target.chat || options.prompts == "words";
  WordCount count;
  if (words) {
    count = count_words(target, random);
  } else {
    try_once(target, {random_ids(8, options.max_token_id, random), {.input = 8, .output = 1}});
  }
  for (const RequestLengths& each : lengths) {
    Json prompt = words ? Json(random_words(count.words_for(each.input), random))
                        : random_ids(each.input, options.max_token_id, random);
    planned.push_back({std::move(prompt), each});
  }
  return planned;
}

void run(const ServeBenchOptions& options) {
  holds_own(options.json_file, {"{\n"}, "figures");
  holds_own(options.plot_file, {"<!doctype html>"}, "page");
  std::vector<Slo> slos;
  for (const std::string& slo : options.slos) slos.push_back(parse_slo(slo));
  const LoadTarget target = make_target(options);
  const std::vector<PlannedRequest> planned = plan_load(options, target);
  const std::vector<double> arrivals =
      poisson_arrivals(static_cast<int>(planned.size()), options.request_rate, options.seed + 2);
  const std::vector<RequestRecord> records = run_load(target, planned, arrivals, options.max_concurrency);
  const LoadReport report = make_report(records, slos);
  const std::string title = fmt::format("{} at {}, {}", target.model, options.base_url, options.endpoint);
  // The table makes way where the JSON goes to stdout.
  if (options.json_file != "-") OutputFile("-").write(title + "\n" + report_text(report));
  if (!options.json_file.empty()) {
    nlohmann::ordered_json json = {{"base_url", options.base_url},
                                   {"endpoint", options.endpoint},
                                   {"model", target.model},
                                   {"request_rate", options.request_rate},
                                   {"max_concurrency", options.max_concurrency},
                                   {"seed", options.seed}};
    json.update(report_json(report));
    replace_file(options.json_file, json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  }
  if (!options.plot_file.empty()) replace_file(options.plot_file, load_page(report, records, title));
  if (report.completed == 0 && report.failed > 0)
    throw fail<Error>("all of {} requests failed; the first: {}", report.failed, report.first_error);
}

}  // namespace

void add_bench_serve(CLI::App& bench) {
  auto options = std::make_shared<ServeBenchOptions>();
  CLI::App& command = *bench.add_subcommand("serve", "Load on a running OpenAI-compatible server");
  const auto add = [&command](const char* name, auto& value, const char* help, const char* group) {
    return command.add_option(name, value, help)->group(group);
  };
  const char* server = "Server";
  add("--base-url", options->base_url, "http://HOST:PORT, with or without /v1; https too", server);
  add("--endpoint", options->endpoint, "What is asked of it", server)->transform(one_of({"completions", "chat"}));
  add("--model", options->model, "Its name there; else the first of /v1/models", server);
  add("--api-key", options->api_key, "Bearer key; else $OPENAI_API_KEY", server);
  add("--timeout", options->timeout, "Seconds that one request may take", server)->check(timeout_seconds());
  const char* load = "Load";
  add("--num-prompts", options->num_prompts, "Requests", load)->check(positive());
  add("--request-rate", options->request_rate,
      "Requests per second, arriving at random (Poisson); without it all come at once", load)
      ->check(positive());
  add("--max-concurrency", options->max_concurrency,
      "Requests that run at once at most; those that come meanwhile wait, which their latency does not count", load)
      ->check(positive());
  CLI::Option* range =
      add("--input-range", options->input_range,
          "Shortest and longest prompt, in tokens, as in 32,512, instead of lengths like ShareGPT's", load)
          ->delimiter(',');
  add("--output-len", options->output_len, "Tokens to generate; with --input-range 128 unless given", load)
      ->check(positive());
  add("--dataset", options->dataset, "Prompts from a file: ShareGPT's JSON, or JSON lines with prompt or messages",
      load)
      ->excludes(range);
  add("--prompts", options->prompts, "Random prompts as token ids, exact in length, or words (chat: always words)",
      load)
      ->transform(one_of({"ids", "words"}));
  add("--max-token-id", options->max_token_id, "Largest random token id; less than the vocabulary", load)
      ->check(positive());
  command.add_flag("--ignore-eos", options->ignore_eos, "Ask for answers of full length (vLLM, Caravel, llama.cpp)")
      ->group(load);
  add("--extra-body", options->extra_body, "JSON object whose fields go into every request", load);
  add("-s,--seed", options->seed, "Of lengths, prompts and arrivals", load)->transform(seed_number());
  const char* report = "Report";
  add("--slo,--goodput", options->slos, "Bounds in ms of a good request, as in ttft:500 tpot:50 e2el:10000", report);
  add("--json", options->json_file, "Write the figures to this file; -: to stdout, without the table", report);
  add("--plot", options->plot_file,
      "Write the figures, with plots of latencies and tokens over time, to this HTML file", report);
  command.callback([options] { run(*options); });
}

}  // namespace caravel::cli
