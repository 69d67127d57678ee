#include "caravel/request.h"
#include "server/openai/sampling_fields.h"

#include <charconv>
#include <limits>

namespace caravel::server::openai {
namespace {

constexpr double kAny = std::numeric_limits<float>::max();
constexpr double kAboveZero = 1e-6;
constexpr int64_t kMaxInt = std::numeric_limits<int>::max();
constexpr size_t kMaxStops = 64;  // every step looks for all of them

float number(Fields& fields, std::string_view name, double low, double high, float otherwise) {
  const std::optional<double> value = fields.number(name, low, high);
  return value ? static_cast<float>(*value) : otherwise;
}

int integer(Fields& fields, std::string_view name, int64_t low, int64_t high, int otherwise) {
  return static_cast<int>(fields.integer(name, low, high).value_or(otherwise));
}

std::vector<std::string> parse_stop(Fields& fields) {
  const Json* value = fields.find("stop");
  if (value == nullptr) return {};
  if (value->is_string()) return {as_string(*value, "stop")};
  if (!value->is_array()) throw wrong_type(*value, fields.path("stop"), "a string or an array of strings");
  std::vector<std::string> texts = as_strings(*value, fields.path("stop"));
  if (texts.size() > kMaxStops) {
    throw FieldError(fields.path("stop"), "array_above_max_length",
                   fmt::format("Invalid 'stop': array too long. Expected an array with maximum length {}, but got an "
                               "array with length {} instead.",
                               kMaxStops, texts.size()));
  }
  return texts;
}

std::vector<std::pair<int32_t, float>> parse_logit_bias(Fields& fields) {
  std::vector<std::pair<int32_t, float>> biases;
  const Json* value = fields.find("logit_bias");
  if (value == nullptr) return biases;
  const std::string path = fields.path("logit_bias");
  for (const auto& [key, bias] : as_object(*value, path).get_ref<const Json::object_t&>()) {
    int32_t token = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), token);
    if (error != std::errc() || end != key.data() + key.size()) {
      throw bad_field(path, fmt::format("Invalid key in 'logit_bias': '{}'. Keys are token ids.", key));
    }
    biases.emplace_back(token, static_cast<float>(as_number(bias, join_path(path, key), -100, 100)));
  }
  return biases;
}

std::vector<int32_t> token_ids(Fields& fields, std::string_view name) {
  const Json* value = fields.find(name);
  return value == nullptr ? std::vector<int32_t>() : as_token_ids(*value, fields.path(name));
}

std::vector<std::string> strings(Fields& fields, std::string_view name) {
  const Json* value = fields.find(name);
  return value == nullptr ? std::vector<std::string>() : as_strings(*value, fields.path(name));
}

}  // namespace

SamplingParams parse_sampling(Fields& fields, const GenerationDefaults& defaults) {
  SamplingParams params;
  params.temperature = number(fields, "temperature", 0, 2, defaults.temperature.value_or(1.0F));
  params.top_p = number(fields, "top_p", 0, 1, defaults.top_p.value_or(1.0F));
  // OpenAI takes 0, which leaves the most likely token alone.
  if (params.top_p == 0) params.top_p = std::numeric_limits<float>::min();
  params.top_k = integer(fields, "top_k", -1, kMaxInt, defaults.top_k.value_or(0));
  params.min_p = number(fields, "min_p", 0, 1, defaults.min_p.value_or(0.0F));
  params.typical_p = number(fields, "typical_p", kAboveZero, 1, 1.0F);
  params.repetition_penalty =
      number(fields, "repetition_penalty", kAboveZero, kAny, defaults.repetition_penalty.value_or(1.0F));
  params.presence_penalty = number(fields, "presence_penalty", -2, 2, 0.0F);
  params.frequency_penalty = number(fields, "frequency_penalty", -2, 2, 0.0F);
  params.logit_bias = parse_logit_bias(fields);
  params.allowed_token_ids = token_ids(fields, "allowed_token_ids");
  params.bad_words = strings(fields, "bad_words");
  if (const Json* seed = fields.find("seed")) {
    params.seed = seed->is_number_unsigned() ? seed->get<uint64_t>()
                                             : static_cast<uint64_t>(as_integer(*seed, fields.path("seed")));
  }
  params.stop = parse_stop(fields);
  params.stop_token_ids = token_ids(fields, "stop_token_ids");
  params.include_stop_str_in_output = fields.boolean("include_stop_str_in_output", false);
  params.ignore_eos = fields.boolean("ignore_eos", false);
  params.skip_special_tokens = fields.boolean("skip_special_tokens", true);
  params.min_tokens = integer(fields, "min_tokens", 0, kMaxInt, 0);
  return params;
}

void parse_answer_count(Fields& fields, SamplingParams& params) {
  params.n = integer(fields, "n", 1, 128, 1);
  if (const auto best_of = fields.integer("best_of", 1, kMaxInt); best_of && *best_of != params.n) {
    throw unsupported_field(fields.path("best_of"), "ask for n answers, or for beam search with use_beam_search");
  }
  params.use_beam_search = fields.boolean("use_beam_search", false);
  params.beam_width = integer(fields, "beam_width", 0, kMaxInt, 0);
  params.length_penalty = number(fields, "length_penalty", -kAny, kAny, 1.0F);
  params.early_stopping = fields.boolean("early_stopping", false);
  // Beams go by the model's own log-probabilities; a penalty that only the model's files suggest is left out.
  if (params.use_beam_search && fields.find("repetition_penalty") == nullptr) params.repetition_penalty = 1.0F;
}

}  // namespace caravel::server::openai
