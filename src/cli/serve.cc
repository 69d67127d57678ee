#include "server/serve.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/available_memory.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/flag_table.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "cli/open_engine.h"
#include "cli/serve_config.h"
#include "cli/usage.h"

namespace caravel::cli {
namespace {

using server::ServeConfig;

struct ServeOptions {
  EngineConfig engine;
  ServeConfig serve;
  std::string config_file;
  std::string api_key_file;
  ChatFlags chat;
  GenerationFlags generation;
  std::vector<std::string> allowed_origins;
  int64_t request_timeout = 600;  // seconds, as are the others
  int64_t write_timeout = 60;
  int64_t stall_timeout = 30;
  int64_t drain_timeout = 300;
};

void add_server_flags(CLI::App& command, ServeOptions& options) {
  ServeConfig& serve = options.serve;
  // One value to a flag, which may be repeated: a list would swallow the MODEL that follows it.
  const auto option = [&](const char* group, const char* name, auto& value, const char* help) {
    return command.add_option(name, value, help)->allow_extra_args(false)->group(group);
  };
  const auto flag = [&](const char* group, const char* name, bool& value, const char* help) {
    return command.add_flag(name, value, help)->group(group);
  };

  const char* const listen = "Server";
  // No address would be all of them.
  option(listen, "--host", serve.http.host, "Name or address to listen on")->check(not_empty());
  option(listen, "--port", serve.http.port, "0: a free one")->transform(whole_number(0, 65535));
  option(listen, "--served-model-name", serve.served_model_names,
         "What requests call the model; may be repeated, the first is shown. Default: MODEL, and its own name")
      ->check(not_empty());
  option(listen, "--config", options.config_file,
         "A YAML file of flags: their names without dashes, and their values; the command line wins")
      ->check(not_empty());
  option(listen, "--ssl-certfile", serve.http.certificate_file, "Certificate chain, PEM: TLS")->check(not_empty());
  option(listen, "--ssl-keyfile", serve.http.private_key_file, "Its private key, PEM")->check(not_empty());

  const char* const access = "Access";
  option(
      access, "--api-key", serve.api_keys,
      "A key that clients must show; may be repeated. /health, /ping, /version, /metrics, /openapi.json and the pages "
      "are free of it. CARAVEL_API_KEY in the environment is another");
  option(access, "--api-key-file", options.api_key_file, "Keys, one a line")->check(not_empty());
  option(
      access, "--allowed-origins", options.allowed_origins,
      "Sites whose pages may call the server, beside its own: an origin, * for all, or a JSON list; may be repeated");
  option(
      access, "--allowed-host", serve.allowed_hosts,
      "A Host header to answer beside localhost, 127.x and [::1]; may be repeated. Checked where the server listens on "
      "a loopback address, or where this is given")
      ->check(not_empty());

  static const std::map<std::string, bool> kScopes = {{"all", false}, {"key", true}};
  option(access, "--prefix-cache-scope", serve.prefix_cache_per_key,
         "Whose equal prompts share cached blocks; key: those of one API key")
      ->transform(CLI::Transformer(kScopes).description(""))
      ->transform(one_of({"all", "key"}))
      ->default_str("all");

  const char* const limits = "Limits";
  const auto seconds = [&](const char* name, int64_t& value, const char* help) {
    option(limits, name, value, help)->transform(whole_number(1, 1'000'000));
  };
  option(limits, "--max-waiting-requests", serve.max_waiting_requests,
         "Requests that may be in preparation or wait for their first token; more are answered 429")
      ->check(not_negative());
  option(limits, "--max-connections", serve.http.max_connections, "Connections at once; more wait")->check(positive());
  option(limits, "--max-body-size", serve.http.max_body_bytes, "Longest body of a request, such as 32MiB")
      ->transform(byte_size())
      ->check(positive());
  option(limits, "--max-answer-size", serve.max_answer_bytes,
         "Longest text of an answer's log-probabilities, such as 256MiB; requests that may get more are answered 400")
      ->transform(byte_size())
      ->check(positive());
  seconds("--request-timeout", options.request_timeout, "Seconds after which a request's answer is cut");
  seconds("--write-timeout", options.write_timeout, "Seconds after which a client that reads nothing is dropped");
  flag(limits, "!--drop-half-closed", serve.http.answer_half_closed,
       "A client that ends its side of the connection has gone: by default it is answered while it can be reached");
  seconds("--stall-timeout", options.stall_timeout,
          "Seconds without a step, with work to do, after which /health fails");
  seconds("--drain-timeout", options.drain_timeout, "Seconds that SIGTERM leaves to running requests");

  const char* const log_group = "Logs and metrics";
  static const std::map<std::string, log::Format> kFormats = {{"text", log::Format::kText},
                                                              {"json", log::Format::kJson}};
  option(log_group, "--log-format", serve.log_format, "Of the lines on stderr")
      ->transform(CLI::Transformer(kFormats).description(""))
      ->transform(one_of({"text", "json"}))
      ->default_str("text");
  flag(log_group, "!--disable-log-requests", serve.log_requests, "No line for each request");
  flag(log_group, "--log-prompts", serve.log_prompts,
       "Requests' bodies in their lines: what people wrote is then in the log");
  flag(log_group, "--vllm-metric-names", serve.vllm_metric_names, "vllm: families in /metrics instead of caravel:");
}

void add_keys_of_file(const std::string& path, std::vector<std::string>& keys) {
  std::istringstream lines(read_file(path));
  const size_t before = keys.size();
  for (std::string line; std::getline(lines, line);) {
    const size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string::npos) continue;
    keys.push_back(line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin));
  }
  // An empty file must not open the server to everybody.
  if (keys.size() == before) throw fail<InvalidArgument>("{}: no key in it; write one a line", path);
}

void add_keys(const ServeOptions& options, std::vector<std::string>& keys) {
  const char* const file = std::getenv("CARAVEL_API_KEY_FILE");
  if (file != nullptr && *file == '\0' && options.api_key_file.empty()) {
    throw UsageError("CARAVEL_API_KEY_FILE of the environment is empty: name a file, or unset it to ask for no key");
  }
  if (!options.api_key_file.empty()) add_keys_of_file(options.api_key_file, keys);
  if (const char* key = std::getenv("CARAVEL_API_KEY")) keys.emplace_back(key);
  for (const std::string& key : keys) {
    if (key.empty()) throw UsageError("an API key is empty; leave it out, or unset CARAVEL_API_KEY");
  }
}

/// As browsers write it, which is how it is compared: a scheme and a host in lower case, and a port unless it is the
/// scheme's own.
void check_origin(const std::string& origin) {
  if (origin == "*" || origin == "null") return;  // null: what a page from a file is
  const size_t scheme = origin.find("://");
  const std::string_view host = std::string_view(origin).substr(std::min(scheme + 3, origin.size()));
  const bool is_whole = scheme != std::string::npos && scheme > 0 && !host.empty() && host.front() != ':';
  const bool is_plain = std::ranges::all_of(origin, [](unsigned char c) {
    return c > ' ' && c < 0x7f && !std::isupper(c) &&
           std::string_view("?#@*,\\").find(static_cast<char>(c)) == std::string_view::npos;
  });
  if (!is_whole || !is_plain || host.find('/') != std::string_view::npos) {
    throw fail<UsageError>(
        "--allowed-origins '{}': no page has this origin; give scheme://host[:port] in lower case and without a path, "
        "such as https://chat.example:8443, or * for all",
        origin);
  }
}

std::vector<std::string> parse_origins(const std::vector<std::string>& values) {
  std::vector<std::string> origins;
  for (const std::string& value : values) {
    if (!value.starts_with('[')) {
      origins.push_back(value);
      continue;
    }
    const auto list = nlohmann::json::parse(value, nullptr, /*allow_exceptions=*/false);
    if (!list.is_array() || !std::ranges::all_of(list, [](const auto& item) { return item.is_string(); })) {
      throw fail<UsageError>("--allowed-origins {}: give an origin, or a JSON list of them", value);
    }
    for (const auto& origin : list) origins.push_back(origin.get<std::string>());
  }
  std::ranges::for_each(origins, check_origin);
  return origins;
}

ServeConfig make_config(const ServeOptions& options) {
  ServeConfig config = options.serve;
  if (config.http.certificate_file.empty() != config.http.private_key_file.empty()) {
    throw UsageError("TLS needs both --ssl-certfile and --ssl-keyfile");
  }
  add_keys(options, config.api_keys);
  config.allowed_origins = parse_origins(options.allowed_origins);
  config.request_timeout = std::chrono::seconds(options.request_timeout);
  config.http.write_timeout = std::chrono::seconds(options.write_timeout);
  config.stall_timeout = std::chrono::seconds(options.stall_timeout);
  config.drain_timeout = std::chrono::seconds(options.drain_timeout);
  return config;
}

/// A connection is a descriptor, and many systems allow a process 1,024 until it asks for more.
void allow_descriptors(int connections) {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = static_cast<rlim_t>(connections) + 256;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
    log::warn("{} connections need {} file descriptors, and this process may have {}", connections, wanted,
              limit.rlim_cur);
  }
}

std::string url(const ServeConfig& config, uint16_t port) {
  const bool v6 = config.http.host.find(':') != std::string::npos && !config.http.host.starts_with('[');
  return fmt::format("{}://{}{}{}:{}", config.http.certificate_file.empty() ? "http" : "https", v6 ? "[" : "",
                     config.http.host, v6 ? "]" : "", port);
}

/// What requests may call the model where no flag says it: as the command line did, and by its own name.
std::vector<std::string> default_names(const std::string& given, const ModelInfo& model) {
  if (given.empty()) return {"smollm2", model.name};
  if (is_there(given)) return {model.name, given};
  return {given, model.name};
}

/// Until a signal comes, or the engine computes nothing any more: why then, else nothing.
std::string wait_for_end(const InterruptGuard& guard, const Engine& engine) {
  // Nobody waits for it, and an idle server is to use no processor time; a CPU is not lost.
  const int look_every = engine.model().memory.apart() ? 2000 : -1;  // ms
  pollfd signal = {guard.descriptor(), POLLIN, 0};
  std::string error;
  while (!guard.interrupted() && error.empty()) {
    ::poll(&signal, 1, look_every);
    error = engine.stats().device_error;
  }
  return error;
}

/// Flags that change nothing beside the others.
void tell_idle_flags(const CLI::App& command, const ServeOptions& options) {
  const bool ages = command.get_option("--priority-ageing")->count() > 0;
  if (ages && options.engine.policy == SchedulingPolicy::kFcfs) {
    log::warn("--priority-ageing does nothing without --scheduling-policy priority");
  }
  const bool has_keys =
      !options.serve.api_keys.empty() || !options.api_key_file.empty() || std::getenv("CARAVEL_API_KEY") != nullptr;
  if (options.serve.prefix_cache_per_key && !has_keys) {
    log::warn("--prefix-cache-scope key does nothing without --api-key");
  }
}

void run_server(const ServeOptions& options) {
  ServeConfig config = make_config(options);
  allow_descriptors(config.http.max_connections);
  config.http.max_queued_handlers = config.max_waiting_requests;
  if (addresses_are_limited()) config.http.handler_threads = 1;
  EngineConfig engine_config = options.chat.load(options.engine);
  engine_config.generation = options.generation.defaults();
  const auto engine = open_engine(engine_config);
  if (config.served_model_names.empty()) {
    config.served_model_names = default_names(options.engine.model, engine->model());
  }
  const InterruptGuard guard({SIGINT, SIGTERM, SIGHUP});
  const auto app = server::App::start(*engine, config);
  const std::string address = url(config, app->port());
  log::show(
      fmt::format("{} at {} (chat: /, engine: /dashboard, API: /v1)\n", config.served_model_names.front(), address),
      stdout);
  std::fflush(stdout);
  const std::string device_error = wait_for_end(guard, *engine);
  if (!device_error.empty()) {
    app->drain();  // what there is has ended with the same error
    throw DeviceLost(device_error);
  }
  const Stats stats = engine->stats();
  const bool has_work = stats.running_requests + stats.waiting_requests > 0;
  log::tell(spdlog::level::info, has_work ? "running requests go on to their end; a second signal stops at once"
                                          : "stopped; no request was running");
  if (!app->drain()) {
    log::warn("some requests were still running after {} seconds and were cut short", options.drain_timeout);
  }
}

}  // namespace

void add_serve(CLI::App& program) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App& command = *program.add_subcommand("serve", "Serve the OpenAI API, a page to chat, and a dashboard");
  add_server_flags(command, *options);
  options->generation.add_to(command);
  options->chat.add_to(command, options->engine);
  add_engine_flags(command, options->engine);
  command.add_option("--seed", options->engine.seed, "Of requests that bring none; 0: a fresh one each time")
      ->transform(seed_number())
      ->group(kEngineGroup);
  command.callback([options, &command] {
    log::set_format(options->serve.log_format);  // what is wrong with the file is told in it, too
    if (!options->config_file.empty()) apply_config_file(command, options->config_file);
    log::set_format(options->serve.log_format);
    tell_idle_flags(command, *options);
    run_server(*options);
  });
}

}  // namespace caravel::cli
