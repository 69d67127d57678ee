#include "server/openai/request_head.h"

#include <algorithm>
#include <ctime>
#include <limits>
#include <random>

#include "base/hash.h"

namespace caravel::server::openai {
namespace {

void parse_stream_options(Fields& fields, RequestHead& head) {
  const Json* value = fields.find("stream_options");
  if (value == nullptr) return;
  const std::string path = fields.path("stream_options");
  Fields options(*value, path);
  if (!head.stream) throw bad_field(path, "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
  head.include_usage = options.boolean("include_usage", false);
  head.continuous_usage = options.boolean("continuous_usage_stats", false);
  options.ignore({"include_obfuscation"});
  options.refuse_unknown();
}

}  // namespace

ApiError unknown_model(const std::string& name) {
  return {404, "invalid_request_error", fmt::format("The model '{}' does not exist.", name), "model",
          "model_not_found"};
}

std::string parse_model(Fields& fields, const Context& context) {
  const std::string name = fields.string("model").value_or(context.model_names.front());
  if (std::ranges::find(context.model_names, name) == context.model_names.end()) throw unknown_model(name);
  return name;
}

RequestHead parse_head(Fields& fields, const Context& context) {
  RequestHead head;
  head.model = parse_model(fields, context);
  head.stream = fields.boolean("stream", false);
  parse_stream_options(fields, head);
  head.return_token_ids = fields.boolean("return_token_ids", false);
  constexpr int64_t kLow = std::numeric_limits<int>::min();
  constexpr int64_t kHigh = std::numeric_limits<int>::max();
  head.priority = static_cast<int>(fields.integer("priority", kLow, kHigh).value_or(0));
  head.cache_salt = fields.string("cache_salt").value_or("");
  fields.ignore({"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key",
                 "prompt_cache_retention", "request_id", "spaces_between_special_tokens"});
  return head;
}

AnswerHead AnswerHead::make(std::string_view id_prefix, const std::string& model, const Context& context) {
  const ModelInfo& info = context.engine.model();
  const std::string identity = fmt::format("{}|{}|{}|{}", info.path, info.architecture, info.weight_bytes, info.device);
  return {.id = make_id(id_prefix),
          .model = model,
          .created = static_cast<int64_t>(std::time(nullptr)),
          .fingerprint = fmt::format("fp_{:016x}", hash128(identity.data(), identity.size()).low)};
}

std::string make_id(std::string_view prefix) {
  static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  thread_local std::mt19937_64 random = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  std::uniform_int_distribution<size_t> letter(0, kLetters.size() - 1);
  std::string id(prefix);
  for (int i = 0; i < 24; ++i) id += kLetters[letter(random)];
  return id;
}

}  // namespace caravel::server::openai
