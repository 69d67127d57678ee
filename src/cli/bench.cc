#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <random>

#include "base/clock.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/output_file.h"
#include "cli/request_row.h"
#include "device/cpu/cpu_device.h"
#include "engine/engine.h"
#include "kernels/ceilings.h"

namespace caravel::cli {
namespace {

using Json = nlohmann::ordered_json;

struct BenchOptions {
  EngineConfig engine;
  bool json = false;
  int input_len = 512;
  int output_len = 128;
  int iterations = 5;
  int warmup = 1;
  int num_prompts = 32;
  std::vector<int> input_lens;
  std::pair<int, int> input_range = {32, 512};
  uint64_t seed = 0;
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double peak_resident_mib() {
  struct rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

kernels::Ceilings ceilings_of(const EngineConfig& config) {
  CpuDevice device(config.threads, choose_isa(config.isa));
  return kernels::measure_ceilings(device);
}

Json ceilings_json(const kernels::Ceilings& ceilings) {
  return {{"read_gb_per_second", ceilings.read_gb_per_second},
          {"int8_gmac_per_second", ceilings.int8_gmac_per_second},
          {"f32_gmac_per_second", ceilings.f32_gmac_per_second}};
}

/// Shares of this machine's ceilings: what a figure reads and multiplies, over what the machine could.
struct Work {
  double gigabytes = 0;  // read from memory
  double gmacs = 0;
};

/// A decode step of one sequence at `context` tokens reads every weight and the sequence's keys and values once.
Work decode_work(const ModelInfo& model, double context) {
  return {(static_cast<double>(model.weight_bytes) + context * static_cast<double>(model.kv_bytes_per_token)) / 1e9,
          static_cast<double>(model.layer_parameters + int64_t{model.vocab_size} * model.hidden_size) / 1e9};
}

/// A prompt token multiplies every weight of the layers; the LM head runs for the last one alone.
Work prefill_work(const ModelInfo& model) { return {0, static_cast<double>(model.layer_parameters) / 1e9}; }

Request random_request(const ModelInfo& model, std::mt19937_64& random, int input_len, int output_len) {
  std::vector<int32_t> prompt(static_cast<size_t>(input_len));
  for (int32_t& token : prompt) token = static_cast<int32_t>(random() % static_cast<uint64_t>(model.vocab_size));
  Request request;
  request.prompt = std::move(prompt);
  request.sampling.max_tokens = output_len;
  request.sampling.ignore_eos = true;
  return request;
}

struct Latency {
  double first_token_seconds = 0;
  double decode_seconds = 0;  // of all tokens after the first
};

Latency measure_one(Engine& engine, Request request) {
  const Clock::time_point start = Clock::now();
  const auto handle = engine.submit(std::move(request));
  Latency latency;
  while (const std::optional<Delta> delta = handle->next()) {
    if (latency.first_token_seconds == 0 && !delta->token_ids.empty())
      latency.first_token_seconds = seconds_since(start);
  }
  latency.decode_seconds = seconds_since(start) - latency.first_token_seconds;
  if (!handle->result().error.empty()) throw fail<Error>("{}", handle->result().error);
  return latency;
}

void print(const BenchOptions& options, const Json& figures, const std::string& text) {
  OutputFile("-").write(options.json ? to_line(figures) + "\n" : text);
}

void bench_latency(const BenchOptions& options) {
  EngineConfig config = options.engine;
  config.enable_prefix_caching = false;  // the same prompt is measured again and again
  const auto engine = Engine::open(config);
  const ModelInfo& model = engine->model();
  std::mt19937_64 random(options.seed);
  std::vector<double> first;
  std::vector<double> decode;
  for (int i = -options.warmup; i < options.iterations; ++i) {
    const Latency latency = measure_one(*engine, random_request(model, random, options.input_len, options.output_len));
    if (i < 0) continue;
    first.push_back(latency.first_token_seconds);
    decode.push_back(latency.decode_seconds);
  }
  const kernels::Ceilings ceilings = ceilings_of(config);
  const double prefill_rate = options.input_len / median(first);
  const double decode_rate = options.output_len > 1 ? (options.output_len - 1) / median(decode) : 0;
  const Work token = decode_work(model, options.input_len + options.output_len / 2.0);
  const double read_share = decode_rate * token.gigabytes / ceilings.read_gb_per_second;
  const double mac_share = prefill_rate * prefill_work(model).gmacs / ceilings.int8_gmac_per_second;
  const Json figures = {{"model", model.name},
                        {"device", model.device},
                        {"input_len", options.input_len},
                        {"output_len", options.output_len},
                        {"iterations", options.iterations},
                        {"first_token_seconds", median(first)},
                        {"prefill_tokens_per_second", prefill_rate},
                        {"prefill_share_of_int8_peak", mac_share},
                        {"decode_tokens_per_second", decode_rate},
                        {"decode_share_of_read_bandwidth", read_share},
                        {"peak_resident_mib", peak_resident_mib()},
                        {"ceilings", ceilings_json(ceilings)}};
  print(options, figures,
        fmt::format("{} on {}, one request, {} tokens in and {} out, median of {}\n"
                    "  first token  {:9.3f} s\n"
                    "  prefill      {:9.1f} tokens/s   {:5.1f} % of the int8 peak ({:.0f} GMAC/s)\n"
                    "  decode       {:9.1f} tokens/s   {:5.1f} % of the read bandwidth ({:.1f} GB/s)\n"
                    "  memory       {:9.1f} MiB resident at most\n",
                    model.name, model.device, options.input_len, options.output_len, options.iterations, median(first),
                    prefill_rate, 100 * mac_share, ceilings.int8_gmac_per_second, decode_rate, 100 * read_share,
                    ceilings.read_gb_per_second, peak_resident_mib()));
}

void bench_throughput(const BenchOptions& options) {
  const auto engine = Engine::open(options.engine);
  const ModelInfo& model = engine->model();
  std::mt19937_64 random(options.seed);
  std::vector<int> lengths = options.input_lens;
  if (lengths.empty()) {
    const auto [low, high] = options.input_range;
    if (low < 1 || high < low) throw fail<InvalidArgument>("--input-range {} {}: give LOW HIGH, at least 1", low, high);
    for (int i = 0; i < options.num_prompts; ++i) {
      lengths.push_back(low + static_cast<int>(random() % static_cast<uint64_t>(high - low + 1)));
    }
  }
  struct Running {
    std::unique_ptr<RequestHandle> handle;
    std::atomic<double> first_token = 0;
  };
  std::vector<Running> running(lengths.size());
  const Clock::time_point start = Clock::now();
  int64_t input_tokens = 0;
  for (size_t i = 0; i < lengths.size(); ++i) {
    input_tokens += lengths[i];
    running[i].handle = engine->submit(random_request(model, random, lengths[i], options.output_len),
                                       [&first = running[i].first_token, start] {
                                         if (first.load(std::memory_order_relaxed) == 0) first = seconds_since(start);
                                       });
  }
  for (const Running& request : running) {
    if (const Result& result = request.handle->result(); !result.error.empty()) throw fail<Error>("{}", result.error);
  }
  const double seconds = seconds_since(start);
  std::vector<double> first;
  first.reserve(running.size());
  for (const Running& request : running) first.push_back(request.first_token);
  const auto output_tokens = static_cast<double>(lengths.size()) * options.output_len;
  const Stats stats = engine->stats();
  const kernels::Ceilings ceilings = ceilings_of(options.engine);
  const double gmacs =
      static_cast<double>(input_tokens) * prefill_work(model).gmacs + output_tokens * decode_work(model, 0).gmacs;
  const double mac_share = gmacs / seconds / ceilings.int8_gmac_per_second;
  const double waste = stats.kv_slots_reserved > 0 ? static_cast<double>(stats.kv_slots_reserved_unused) /
                                                         static_cast<double>(stats.kv_slots_reserved)
                                                   : 0;
  const Json figures = {{"model", model.name},
                        {"device", model.device},
                        {"requests", lengths.size()},
                        {"input_tokens", input_tokens},
                        {"output_tokens", output_tokens},
                        {"seconds", seconds},
                        {"output_tokens_per_second", output_tokens / seconds},
                        {"total_tokens_per_second", (output_tokens + static_cast<double>(input_tokens)) / seconds},
                        {"share_of_int8_peak", mac_share},
                        {"median_first_token_seconds", median(first)},
                        {"kv_reserved_unused_share", waste},
                        {"preemptions", stats.preemptions_recompute + stats.preemptions_swap},
                        {"peak_resident_mib", peak_resident_mib()},
                        {"ceilings", ceilings_json(ceilings)}};
  print(options, figures,
        fmt::format("{} on {}, {} requests at once, {} tokens in and {:.0f} out, {:.2f} s\n"
                    "  output       {:9.1f} tokens/s\n"
                    "  all          {:9.1f} tokens/s   {:5.1f} % of the int8 peak ({:.0f} GMAC/s)\n"
                    "  first token  {:9.3f} s, median\n"
                    "  KV waste     {:9.2f} % of what was reserved held no token; {} preemptions\n"
                    "  memory       {:9.1f} MiB resident at most\n",
                    model.name, model.device, lengths.size(), input_tokens, output_tokens, seconds,
                    output_tokens / seconds, (output_tokens + static_cast<double>(input_tokens)) / seconds,
                    100 * mac_share, ceilings.int8_gmac_per_second, median(first), 100 * waste,
                    stats.preemptions_recompute + stats.preemptions_swap, peak_resident_mib()));
}

void bench_memory(const BenchOptions& options) {
  const kernels::Ceilings ceilings = ceilings_of(options.engine);
  print(options, ceilings_json(ceilings),
        fmt::format("read bandwidth  {:8.1f} GB/s\nint8 peak       {:8.0f} GMAC/s\nf32 peak        {:8.0f} GMAC/s\n",
                    ceilings.read_gb_per_second, ceilings.int8_gmac_per_second, ceilings.f32_gmac_per_second));
}

}  // namespace

void add_bench(CLI::App& program) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App& command = *program.add_subcommand("bench", "Measure this machine, and a model on it");
  command.require_subcommand(1);
  const auto add = [&](const char* name, const char* help, void (*run)(const BenchOptions&)) {
    CLI::App& sub = *command.add_subcommand(name, help);
    sub.add_flag("--json", options->json, "One JSON object");
    add_engine_flags(sub, options->engine);
    sub.callback([options, run] { run(*options); });
    return &sub;
  };
  CLI::App* latency = add("latency", "One request: prefill, decode, first token", bench_latency);
  CLI::App* throughput = add("throughput", "Many requests at once", bench_throughput);
  add("memory", "This machine's ceilings: read bandwidth, int8 and f32 peaks", bench_memory);
  latency->add_option("--input-len", options->input_len, "Tokens of the prompt")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  latency->add_option("--iterations", options->iterations, "Measured runs")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  latency->add_option("--warmup", options->warmup, "Runs before them")->capture_default_str();
  throughput->add_option("--num-prompts", options->num_prompts, "Requests")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  throughput->add_option("--input-range", options->input_range, "Shortest and longest prompt")->capture_default_str();
  throughput->add_option("--input-lens", options->input_lens, "The prompts' lengths, instead, as in 32,128,512")
      ->allow_extra_args(false)
      ->delimiter(',');
  for (CLI::App* sub : {latency, throughput}) {
    sub->add_option("--output-len", options->output_len, "Tokens to generate")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    sub->add_option("-s,--seed", options->seed, "Of the random prompts")->capture_default_str();
  }
}

}  // namespace caravel::cli
