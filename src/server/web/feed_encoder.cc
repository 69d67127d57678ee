#include "server/web/feed_encoder.h"

#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace caravel::server::web {
namespace {

using Json = nlohmann::ordered_json;

/// What this process holds in memory; 0 where the system does not say.
int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t pages = 0, resident_pages = 0;
  if (!(statm >> pages >> resident_pages)) return 0;
  return resident_pages * sysconf(_SC_PAGESIZE);
}

Json encode_model(const ModelInfo& model) {
  return {{"name", model.name},
          {"architecture", model.architecture},
          {"device", model.device},
          {"parameters", model.parameters},
          {"weight_bytes", model.weight_bytes},
          {"kv_pool_bytes", model.kv_pool_bytes},
          {"kv_bytes_per_token", model.kv_bytes_per_token},
          {"activation_bytes", model.activation_bytes},
          {"max_model_len", model.max_model_len},
          {"block_size", model.block_size}};
}

Json encode_engine(const EngineReport& report) {
  const Stats& stats = report.stats;
  return {{"now", report.now},
          {"resident_bytes", resident_bytes()},
          {"total_blocks", stats.total_blocks},
          {"used_blocks", stats.used_blocks},
          {"cached_blocks", stats.cached_blocks},
          {"waiting_requests", stats.waiting_requests},
          {"running_requests", stats.running_requests},
          {"swapped_requests", stats.swapped_requests},
          {"prompt_tokens", stats.prompt_tokens},
          {"cached_tokens", stats.cached_tokens},
          {"generated_tokens", stats.generated_tokens},
          {"preemptions_recompute", stats.preemptions_recompute},
          {"preemptions_swap", stats.preemptions_swap},
          {"finished_requests", stats.finished_requests},
          {"cancelled_requests", stats.cancelled_requests}};
}

Json encode_steps(const std::vector<StepReport>& steps) {
  Json encoded = Json::array();
  for (const StepReport& step : steps) {
    encoded.push_back({step.number, step.end, step.seconds, step.prefill_tokens, step.decode_tokens, step.waiting,
                       step.running, step.swapped});
  }
  return encoded;
}

/// Runs of blocks that differ from `before`; [blocks] both.
Json encode_blocks(const std::vector<BlockReport>& before, const std::vector<BlockReport>& now) {
  Json runs = Json::array();
  for (size_t first = 0, end = 0; first < now.size(); first = end) {
    end = first + 1;
    if (now[first] == before[first]) continue;
    while (end < now.size() && now[end] == now[first] && now[end] != before[end]) ++end;
    runs.push_back({first, end - first, now[first].owner, now[first].references, int{now[first].cached}});
  }
  return runs;
}

bool same_counts(const Stats& a, const Stats& b) {
  return a.waiting_requests == b.waiting_requests && a.running_requests == b.running_requests &&
         a.swapped_requests == b.swapped_requests && a.used_blocks == b.used_blocks &&
         a.cached_blocks == b.cached_blocks && a.finished_requests == b.finished_requests &&
         a.cancelled_requests == b.cancelled_requests;
}

}  // namespace

std::optional<std::string> FeedEncoder::encode(const EngineReport& report, const ModelInfo& model) {
  blocks_.resize(report.blocks.size());
  Json blocks = encode_blocks(blocks_, report.blocks);
  if (!first_ && blocks.empty() && report.steps.empty() && same_counts(stats_, report.stats)) return std::nullopt;
  Json event = {{"engine", encode_engine(report)}};
  if (first_) event["model"] = encode_model(model);
  event["steps"] = encode_steps(report.steps);
  event["blocks"] = std::move(blocks);
  Json& owners = event["owners"] = Json::array();
  for (const EngineReport::Owner& owner : report.owners) owners.push_back({owner.number, owner.id});
  if (!report.steps.empty()) last_step_ = report.steps.back().number;
  blocks_ = report.blocks;
  stats_ = report.stats;
  first_ = false;
  // Request ids are the clients': bytes that are no UTF-8 must not end the feed.
  return event.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace caravel::server::web
