#include "sampler/validate.h"

#include <cmath>
#include <limits>
#include <string_view>

#include "base/error.h"

namespace caravel::sampler {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

void check_ids(std::string_view name, int32_t id, int vocab_size) {
  if (id < 0 || id >= vocab_size) {
    throw InvalidField(name, fmt::format("has token id {}; the vocabulary has ids 0 to {}", id, vocab_size - 1));
  }
}

// Written so that NaN fails.
void check_range(std::string_view name, float value, bool inside, std::string_view range) {
  if (!inside) throw InvalidField(name, fmt::format("is {}; it must be {}", value, range));
}

void check_count(std::string_view name, int value, int low, int high) {
  if (value < low || value > high) {
    throw InvalidField(name, fmt::format("is {}; it must be {} to {}", value, low, high));
  }
}

void check_beams(const SamplingParams& params) {
  if (params.beam_width != 0 && params.beam_width < params.n) {
    throw InvalidField("beam_width",
                       fmt::format("is {}; it must be at least n, which is {}", params.beam_width, params.n));
  }
  check_count("beam_width", params.beam_width != 0 ? params.beam_width : params.n, 1, kMaxBeamWidth);
  check_range("length_penalty", params.length_penalty, std::isfinite(params.length_penalty), "a finite number");
  // Beams are ranked by the model's own log-probabilities, and their texts are known at the end alone.
  constexpr std::string_view kProblem = "cannot be used with beam search: leave one of them out";
  const auto refuse = [&](std::string_view name, bool given) {
    if (given) throw InvalidField(name, kProblem);
  };
  if (params.grammar.kind != GrammarSpec::Kind::kNone) throw fail<InvalidArgument>("a grammar {}", kProblem);
  refuse("stop", !params.stop.empty());
  refuse("repetition_penalty", params.repetition_penalty != 1.0F);
  refuse("presence_penalty", params.presence_penalty != 0.0F);
  refuse("frequency_penalty", params.frequency_penalty != 0.0F);
  refuse("logit_bias", !params.logit_bias.empty());
  refuse("allowed_token_ids", !params.allowed_token_ids.empty());
  refuse("bad_words", !params.bad_words.empty());
}

}  // namespace

void validate(const SamplingParams& params, int vocab_size) {
  constexpr int kMany = std::numeric_limits<int>::max();
  check_count("max_tokens", params.max_tokens, 0, kMany);
  check_count("min_tokens", params.min_tokens, 0, params.max_tokens);
  check_range("temperature", params.temperature, params.temperature >= 0 && params.temperature < kInfinity,
              "0 (greedy) or more");
  check_count("top_k", params.top_k, -1, kMany);
  check_range("top_p", params.top_p, params.top_p > 0 && params.top_p <= 1, "in (0, 1]");
  check_range("min_p", params.min_p, params.min_p >= 0 && params.min_p <= 1, "in [0, 1]");
  check_range("typical_p", params.typical_p, params.typical_p > 0 && params.typical_p <= 1, "in (0, 1]");
  check_range("repetition_penalty", params.repetition_penalty,
              params.repetition_penalty > 0 && params.repetition_penalty < kInfinity, "more than 0");
  check_range("presence_penalty", params.presence_penalty,
              params.presence_penalty >= -2 && params.presence_penalty <= 2, "in [-2, 2]");
  check_range("frequency_penalty", params.frequency_penalty,
              params.frequency_penalty >= -2 && params.frequency_penalty <= 2, "in [-2, 2]");
  for (const auto& [id, bias] : params.logit_bias) {
    check_ids("logit_bias", id, vocab_size);
    check_range("logit_bias", bias, !std::isnan(bias) && bias < kInfinity, "a number or minus infinity");
  }
  for (const int32_t id : params.allowed_token_ids) check_ids("allowed_token_ids", id, vocab_size);
  for (const int32_t id : params.stop_token_ids) check_ids("stop_token_ids", id, vocab_size);
  for (const std::string& word : params.bad_words) {
    if (word.empty()) throw InvalidField("bad_words", "has an empty text");
  }
  for (const std::string& text : params.stop) {
    if (text.empty()) throw InvalidField("stop", "has an empty text");
  }
  check_count("n", params.n, 1, kMany);
  if (params.logprobs) check_count("logprobs", *params.logprobs, 0, kMaxLogprobs);
  if (params.prompt_logprobs) check_count("prompt_logprobs", *params.prompt_logprobs, 0, kMaxLogprobs);
  if (params.use_beam_search)
    check_beams(params);
  else if (params.beam_width != 0)
    throw InvalidField("beam_width", fmt::format("is {}, but use_beam_search is off", params.beam_width));
}

}  // namespace caravel::sampler
