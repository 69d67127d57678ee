#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <string_view>

#include "base/available_memory.h"
#include "base/clock.h"
#include "base/error.h"
#include "caravel/engine.h"
#include "cli/bench_serve.h"
#include "cli/bench_serve_workload.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/open_engine.h"
#include "cli/output_file.h"
#include "cli/usage.h"
#include "device/open_device.h"
#include "fields/json.h"
#include "kernels/ceilings.h"

namespace caravel::cli {
namespace {

using Json = nlohmann::ordered_json;

struct BenchOptions {
  EngineConfig engine;
  bool json = false;
  bool profile = false;
  int depth = 0;
  int input_len = 512;
  int output_len = 128;
  int iterations = 5;
  int warmup = 1;
  int num_prompts = 32;
  std::vector<int> input_lens;
  std::pair<int, int> input_range = {32, 512};
  std::optional<std::pair<int, int>> output_range;
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

kernels::Ceilings ceilings_of(const EngineConfig& config) { return kernels::measure_ceilings(*open_device(config)); }

Json ceilings_json(const kernels::Ceilings& ceilings) {
  return {{"read_gb_per_second", ceilings.read_gb_per_second},
          {"int8_gmac_per_second", ceilings.int8_gmac_per_second},
          {"int8_tile_gmac_per_second", ceilings.int8_tile_gmac_per_second},
          {"bf16_gmac_per_second", ceilings.bf16_gmac_per_second},
          {"f32_gmac_per_second", ceilings.f32_gmac_per_second}};
}

/// The peak that shares of arithmetic are of: what the device's GEMMs multiply in.
struct Peak {
  std::string_view name;
  double gmac_per_second;
};

Peak peak_of(const kernels::Ceilings& ceilings) {
  if (ceilings.bf16_gmac_per_second > 0) return {"bf16", ceilings.bf16_gmac_per_second};
  return {"int8", ceilings.int8_gmac_per_second};
}

/// Shares of this machine's ceilings: what a figure reads and multiplies, over what the machine could.
struct Work {
  double gigabytes = 0;  // read from memory
  double gmacs = 0;
};

/// A decode step of one sequence at `context` tokens reads the weights that it goes through and the sequence's keys and
/// values once.
Work decode_work(const ModelInfo& model, double context) {
  return {
      (static_cast<double>(model.token_weight_bytes) + context * static_cast<double>(model.kv_bytes_per_token)) / 1e9,
      static_cast<double>(model.layer_parameters + int64_t{model.vocab_size} * model.hidden_size) / 1e9};
}

/// A prompt token multiplies every weight of the layers; the LM head runs for the last one alone.
Work prefill_work(const ModelInfo& model) { return {0, static_cast<double>(model.layer_parameters) / 1e9}; }

std::vector<int32_t> random_tokens(const ModelInfo& model, std::mt19937_64& random, int count) {
  std::vector<int32_t> tokens(static_cast<size_t>(count));
  for (int32_t& token : tokens) token = static_cast<int32_t>(random() % static_cast<uint64_t>(model.vocab_size));
  return tokens;
}

/// Greedy, and as long as asked for.
Request random_request(std::vector<int32_t> prompt, int output_len) {
  Request request;
  request.prompt = std::move(prompt);
  request.sampling.max_tokens = output_len;
  request.sampling.temperature = 0.0F;
  request.sampling.ignore_eos = true;
  return request;
}

struct Latency {
  double first_token_seconds = 0;
  double decode_seconds = 0;  // for all tokens after the first
};

Latency measure_one(Engine& engine, Request request) {
  const Clock::time_point start = Clock::now();
  const auto handle = engine.submit(std::move(request));
  Latency latency;
  while (const Next delta = handle->next()) {
    if (latency.first_token_seconds == 0 && !delta->token_ids.empty())
      latency.first_token_seconds = seconds_since(start);
  }
  latency.decode_seconds = seconds_since(start) - latency.first_token_seconds;
  if (!handle->result().error.empty()) throw fail<Error>("{}", handle->result().error);
  return latency;
}

void print(const BenchOptions& options, const Json& figures, const std::string& text) {
  OutputFile("-").write(options.json ? to_text(figures) + "\n" : text);
}

/// What happened between two looks at the statistics, region by region; and what no region accounts for, as "host".
std::vector<RegionTime> profile_between(const Stats& before, const Stats& after) {
  std::vector<RegionTime> regions = after.regions;
  double host = after.busy_seconds - before.busy_seconds;
  for (size_t i = 0; i < regions.size(); ++i) {
    if (i < before.regions.size()) {
      regions[i].runs -= before.regions[i].runs;
      regions[i].seconds -= before.regions[i].seconds;
      regions[i].bytes -= before.regions[i].bytes;
      regions[i].macs -= before.regions[i].macs;
    }
    host -= regions[i].seconds;
  }
  regions.push_back({.name = "host", .runs = after.steps - before.steps, .seconds = host});
  std::erase_if(regions, [](const RegionTime& region) { return region.seconds <= 0; });
  std::ranges::sort(regions, std::greater(), &RegionTime::seconds);
  return regions;
}

Profile profile_of(const BenchOptions& options) { return options.profile ? Profile::kRegions : Profile::kSteps; }

/// How much of the time the device waited for its next commands, though there was work; nothing where it was not timed.
std::optional<double> waiting_share(const std::vector<RegionTime>& regions) {
  double step = 0;
  double between = 0;
  for (const RegionTime& region : regions) {
    if (region.name == std::string_view(kStepRegion)) step = region.seconds;
    if (region.name == std::string_view(kBetweenStepsRegion)) between = region.seconds;
  }
  if (step == 0) return std::nullopt;
  return between / (step + between);
}

void add_waiting(const std::vector<RegionTime>& regions, Json& figures, std::string& text) {
  const std::optional<double> share = waiting_share(regions);
  if (!share) return;
  figures["waiting_for_host_share"] = *share;
  text += fmt::format("  between steps    {:9.2f} % of the time: the device waits for the host\n", 100 * *share);
}

Json profile_json(const std::vector<RegionTime>& regions) {
  Json rows = Json::array();
  for (const RegionTime& region : regions) {
    rows.push_back({{"region", region.name},
                    {"runs", region.runs},
                    {"seconds", region.seconds},
                    {"gigabytes", region.bytes / 1e9},
                    {"gmacs", region.macs / 1e9}});
  }
  return rows;
}

std::string profile_text(const char* title, const std::vector<RegionTime>& regions) {
  double total = 0;
  for (const RegionTime& region : regions) total += region.seconds;
  std::string text =
      fmt::format("\n{:<18} {:>8} {:>9} {:>7} {:>8} {:>8}\n", title, "runs", "ms", "share", "GB/s", "GMAC/s");
  for (const RegionTime& region : regions) {
    text += fmt::format("  {:<16} {:8} {:9.3f} {:6.1f}%", region.name, region.runs, 1e3 * region.seconds,
                        100 * region.seconds / total);
    if (region.macs > 0) {
      text += fmt::format(" {:8.1f} {:8.1f}", region.bytes / 1e9 / region.seconds, region.macs / 1e9 / region.seconds);
    }
    text += '\n';
  }
  return text;
}

/// Where no context was given, it has room for what is measured, and an error of it is told of that.
std::unique_ptr<Engine> open_for_one(const BenchOptions& options, EngineConfig config) {
  if (config.max_model_len != 0) return open_engine(config);
  config.max_model_len = options.depth + std::max(options.input_len, options.output_len + 1) + 1;
  return open_engine_for(fmt::format("{} tokens of context, for --depth {} and then --input-len {} or --output-len {}",
                                     config.max_model_len, options.depth, options.input_len, options.output_len),
                         config);
}

/// As llama-bench -d D -p P -n N: the time of P prompt tokens after D, and apart from it that of N tokens after D,
/// where D tokens are in the prefix cache.
void bench_latency(const BenchOptions& options) {
  EngineConfig config = options.engine;
  config.enable_prefix_caching = options.depth > 0;  // for the D tokens alone: all other tokens are new each time
  // Room for this one sequence: every run takes the blocks of the one before, as llama-bench's do, and not memory that
  // the system has to clear first.
  config.max_num_seqs = 1;
  config.profile = profile_of(options);
  const auto engine = open_for_one(options, config);
  const ModelInfo& model = engine->model();
  std::mt19937_64 random(options.seed);
  const std::vector<int32_t> context = random_tokens(model, random, options.depth);
  const auto measure = [&](int input_len, int output_len) {
    std::vector<int32_t> prompt = context;
    std::ranges::copy(random_tokens(model, random, input_len), std::back_inserter(prompt));
    return measure_one(*engine, random_request(std::move(prompt), output_len));
  };
  if (options.depth > 0) measure(0, 1);
  std::vector<double> prefill;
  std::vector<double> decode;
  Stats before;
  Stats between;
  Stats after;
  for (int i = -options.warmup; i < options.iterations; ++i) {
    before = engine->stats();
    const double prefill_seconds = measure(options.input_len, 1).first_token_seconds;
    between = engine->stats();
    const double decode_seconds = measure(options.depth > 0 ? 0 : 1, options.output_len + 1).decode_seconds;
    after = engine->stats();
    if (i < 0) continue;
    prefill.push_back(prefill_seconds);
    decode.push_back(decode_seconds);
  }
  const double resident = peak_resident_mib();  // before the ceilings take memory of their own
  const kernels::Ceilings ceilings = ceilings_of(config);
  const double prefill_rate = options.input_len / median(prefill);
  const double decode_rate = options.output_len / median(decode);
  const Work token = decode_work(model, options.depth + options.output_len / 2.0);
  const double read_share = decode_rate * token.gigabytes / ceilings.read_gb_per_second;
  const Peak peak = peak_of(ceilings);
  const double mac_share = prefill_rate * prefill_work(model).gmacs / peak.gmac_per_second;
  Json figures = {{"model", model.name},
                  {"device", model.device},
                  {"depth", options.depth},
                  {"input_len", options.input_len},
                  {"output_len", options.output_len},
                  {"iterations", options.iterations},
                  {"prefill_seconds", median(prefill)},
                  {"prefill_tokens_per_second", prefill_rate},
                  {fmt::format("prefill_share_of_{}_peak", peak.name), mac_share},
                  {"decode_tokens_per_second", decode_rate},
                  {"decode_share_of_read_bandwidth", read_share},
                  {"peak_resident_mib", resident},
                  {"ceilings", ceilings_json(ceilings)}};
  std::string text = fmt::format(
      "{} on {}, one request after {} tokens, median of {}\n"
      "  prefill of {:<5} {:9.1f} tokens/s   {:5.1f} % of the {} peak ({:.0f} GMAC/s)\n"
      "  decode of {:<5}  {:9.1f} tokens/s   {:5.1f} % of the read bandwidth ({:.1f} GB/s)\n"
      "  memory           {:9.1f} MiB resident at most\n",
      model.name, model.device, options.depth, options.iterations, options.input_len, prefill_rate, 100 * mac_share,
      peak.name, peak.gmac_per_second, options.output_len, decode_rate, 100 * read_share, ceilings.read_gb_per_second,
      resident);
  add_waiting(profile_between(between, after), figures, text);
  if (options.profile) {
    const std::vector<RegionTime> prefill_regions = profile_between(before, between);
    const std::vector<RegionTime> decode_regions = profile_between(between, after);
    figures["prefill_profile"] = profile_json(prefill_regions);
    figures["decode_profile"] = profile_json(decode_regions);
    text += profile_text("prefill", prefill_regions) + profile_text("decode", decode_regions);
  }
  print(options, figures, text);
}

void bench_throughput(const BenchOptions& options) {
  const std::pair<int, int> output = options.output_range.value_or(std::pair(options.output_len, options.output_len));
  const std::vector<int>& inputs = options.input_lens;
  const int count = inputs.empty() ? options.num_prompts : static_cast<int>(inputs.size());
  std::vector<RequestLengths> lengths = range_lengths(count, options.input_range, output, options.seed);
  for (size_t i = 0; i < inputs.size(); ++i) lengths[i].input = inputs[i];
  EngineConfig config = options.engine;
  config.profile = profile_of(options);
  const auto engine = open_engine(config);
  const ModelInfo& model = engine->model();
  std::mt19937_64 random(options.seed);
  struct Running {
    std::unique_ptr<RequestHandle> handle;
    std::atomic<double> first_token = 0;
  };
  std::vector<Running> running(lengths.size());
  const Clock::time_point start = Clock::now();
  int64_t input_tokens = 0;
  int64_t output_tokens = 0;
  for (size_t i = 0; i < lengths.size(); ++i) {
    input_tokens += lengths[i].input;
    output_tokens += lengths[i].output;
    running[i].handle =
        engine->submit(random_request(random_tokens(model, random, lengths[i].input), lengths[i].output),
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
  const Stats stats = engine->stats();
  const double resident = peak_resident_mib();  // before the ceilings take memory of their own
  const kernels::Ceilings ceilings = ceilings_of(options.engine);
  const double gmacs = static_cast<double>(input_tokens) * prefill_work(model).gmacs +
                       static_cast<double>(output_tokens) * decode_work(model, 0).gmacs;
  const Peak peak = peak_of(ceilings);
  const double mac_share = gmacs / seconds / peak.gmac_per_second;
  const double waste = stats.kv_slots_reserved > 0 ? static_cast<double>(stats.kv_slots_reserved_unused) /
                                                         static_cast<double>(stats.kv_slots_reserved)
                                                   : 0;
  Json figures = {{"model", model.name},
                  {"device", model.device},
                  {"requests", lengths.size()},
                  {"input_tokens", input_tokens},
                  {"output_tokens", output_tokens},
                  {"seconds", seconds},
                  {"output_tokens_per_second", static_cast<double>(output_tokens) / seconds},
                  {"total_tokens_per_second", static_cast<double>(output_tokens + input_tokens) / seconds},
                  {fmt::format("share_of_{}_peak", peak.name), mac_share},
                  {"median_first_token_seconds", median(first)},
                  {"kv_reserved_unused_share", waste},
                  {"preemptions", stats.preemptions_recompute + stats.preemptions_swap},
                  {"peak_resident_mib", resident},
                  {"ceilings", ceilings_json(ceilings)}};
  std::string text = fmt::format(
      "{} on {}, {} requests at once, {} tokens in and {} out, {:.2f} s\n"
      "  output       {:9.1f} tokens/s\n"
      "  all          {:9.1f} tokens/s   {:5.1f} % of the {} peak ({:.0f} GMAC/s)\n"
      "  first token  {:9.3f} s, median\n"
      "  KV waste     {:9.2f} % of what was reserved held no token; {} preemptions\n"
      "  memory       {:9.1f} MiB resident at most\n",
      model.name, model.device, lengths.size(), input_tokens, output_tokens, seconds,
      static_cast<double>(output_tokens) / seconds, static_cast<double>(output_tokens + input_tokens) / seconds,
      100 * mac_share, peak.name, peak.gmac_per_second, median(first), 100 * waste,
      stats.preemptions_recompute + stats.preemptions_swap, resident);
  add_waiting(profile_between({}, stats), figures, text);
  if (options.profile) {
    const std::vector<RegionTime> regions = profile_between({}, stats);
    figures["profile"] = profile_json(regions);
    text += profile_text("prefill and decode", regions);
  }
  print(options, figures, text);
}

void bench_memory(const BenchOptions& options) {
  const std::unique_ptr<Device> device = open_device(options.engine);
  const kernels::Ceilings ceilings = kernels::measure_ceilings(*device);
  const std::vector<kernels::MemoryLevel> levels = kernels::measure_memory(*device, ceilings);
  Json figures = ceilings_json(ceilings);
  figures["device"] = device->name();
  Json& rows = figures["levels"] = Json::array();
  std::string text = fmt::format("{}\n{:<30} {:>10} {:>12} {:>10}\n", device->name(), "", "size", "read", "latency");
  for (const kernels::MemoryLevel& level : levels) {
    rows.push_back({{"name", level.name},
                    {"bytes", level.bytes},
                    {"read_gb_per_second", level.read_gb_per_second},
                    {"latency_ns", level.latency_ns}});
    text += fmt::format("{:<30} {:>10} {:>12} {:>10}\n", level.name,
                        level.bytes > 0 ? memory_text(static_cast<int64_t>(level.bytes)) : "",
                        level.read_gb_per_second > 0 ? fmt::format("{:.1f} GB/s", level.read_gb_per_second) : "",
                        level.latency_ns > 0 ? fmt::format("{:.1f} ns", level.latency_ns) : "");
  }
  const auto add_peak = [&](std::string_view name, double rate) {
    if (rate > 0) text += fmt::format("{:<41} {:>12.0f} GMAC/s\n", name, rate);
  };
  add_peak("int8 peak", ceilings.int8_gmac_per_second);
  add_peak("  by tiles", ceilings.int8_tile_gmac_per_second);
  add_peak("bf16 peak", ceilings.bf16_gmac_per_second);
  add_peak("f32 peak", ceilings.f32_gmac_per_second);
  print(options, figures, text);
}

}  // namespace

void add_bench(CLI::App& program) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App& command = *program.add_subcommand("bench", "Measure this machine, and a model on it");
  command.require_subcommand(1);
  const auto add = [&](const char* name, const char* help, void (*run)(const BenchOptions&),
                       void (*add_flags)(CLI::App&, EngineConfig&) = add_engine_flags) {
    CLI::App& sub = *command.add_subcommand(name, help);
    sub.add_flag("--json", options->json, "One JSON object");
    add_flags(sub, options->engine);
    sub.callback([options, run] { run(*options); });
    return &sub;
  };
  CLI::App* latency = add("latency", "One request: prefill and decode", bench_latency);
  CLI::App* throughput = add("throughput", "Many requests at once", bench_throughput);
  add("memory", "Size, read bandwidth and latency of each level of memory; peaks of arithmetic", bench_memory,
      add_processor_flags);
  add_bench_serve(command);
  latency->add_option("--input-len", options->input_len, "Tokens of the prompt")->check(positive());
  latency->add_option("--depth", options->depth, "Tokens that stand in the cache before")->check(not_negative());
  latency->add_flag("--profile", options->profile, "Where the time of the last run went, region by region");
  throughput->add_flag("--profile", options->profile, "Where the time went, region by region");
  latency->add_option("--iterations", options->iterations, "Measured runs")->check(positive());
  latency->add_option("--warmup", options->warmup, "Runs before them")->check(not_negative());
  throughput->add_option("--num-prompts", options->num_prompts, "Requests")->check(positive());
  throughput->add_option("--input-range", options->input_range, "Shortest and longest prompt, as in 32,512")
      ->delimiter(',')
      ->default_str("32,512");
  throughput
      ->add_option("--output-range", options->output_range,
                   "Fewest and most tokens to generate; default: --output-len of all")
      ->delimiter(',');
  throughput->add_option("--input-lens", options->input_lens, "The prompts' lengths, instead, as in 32,128,512")
      ->allow_extra_args(false)
      ->delimiter(',');
  for (CLI::App* sub : {latency, throughput}) {
    sub->add_option("--output-len", options->output_len, "Tokens to generate")->check(positive());
    sub->add_option("-s,--seed", options->seed, "Of the random prompts")->transform(seed_number());
  }
}

}  // namespace caravel::cli
