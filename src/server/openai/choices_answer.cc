#include "server/openai/choices_answer.h"

#include <algorithm>

#include "base/numbers.h"
#include "server/endpoint/events.h"
#include "server/endpoint/usage.h"

namespace caravel::server::openai {
namespace {

Json usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}}};
}

}  // namespace

ChoicesForm parse_choices(Fields& fields, Generation& generation) {
  const SamplingParams& sampling = generation.sampling;
  generation.prescribe(parse_answer_form(fields));
  if (sampling.prompt_logprobs && generation.stream) {
    throw bad_field(fields.path("prompt_logprobs"), "'prompt_logprobs' are not available when 'stream' is enabled.");
  }
  return {.prompt_logprobs = sampling.prompt_logprobs,
          .tokens_as_ids = fields.boolean("return_tokens_as_token_ids", false)};
}

ChoicesAnswer::ChoicesAnswer(Generation generation, AnswerHead head, std::string object, std::string chunk_object)
    : generation_(std::move(generation)),
      head_(std::move(head)),
      object_(std::move(object)),
      chunk_object_(std::move(chunk_object)),
      prompt_tokens_(generation_.prompt_tokens()) {}

void ChoicesAnswer::add_usage_of(const Result& result) { add_usage(usage_, result.usage); }

Json ChoicesAnswer::finish_reason_json(FinishReason reason, bool called_tools) {
  switch (reason) {
    case FinishReason::kNone:
      return nullptr;
    case FinishReason::kStop:
      return called_tools ? "tool_calls" : "stop";
    default:
      return "length";
  }
}

Json ChoicesAnswer::stop_reason_json(FinishReason reason, const std::string& stop_reason) const {
  if (reason == FinishReason::kCancelled) return "timeout";
  if (stop_reason.empty()) return nullptr;
  const std::vector<std::string>& stops = generation_.sampling.stop;
  if (std::ranges::find(stops, stop_reason) != stops.end()) return stop_reason;
  if (const auto token = parse_number<int32_t>(stop_reason)) return *token;
  return stop_reason;
}

Json ChoicesAnswer::envelope(const std::string& object, Json choices) const {
  return {{"id", head_.id},
          {"object", object},
          {"created", head_.created},
          {"model", head_.model},
          {"system_fingerprint", head_.fingerprint},
          {"choices", std::move(choices)}};
}

void ChoicesAnswer::add_chunk(Json choice, const Json& extra, AnswerText& out) {
  Json choices = Json::array();
  choices.push_back(std::move(choice));
  Json chunk = envelope(chunk_object_, std::move(choices));
  if (generation_.continuous_usage) {
    chunk["usage"] = usage_json({.prompt_tokens = prompt_tokens_, .completion_tokens = generated_});
  } else if (generation_.include_usage) {
    chunk["usage"] = nullptr;
  }
  chunk.update(extra);
  add_event(chunk, out);
}

void ChoicesAnswer::complete(AnswerText& out) {
  if (!streams()) {
    // They came as their prompts ended.
    std::sort(choices_.begin(), choices_.end(), [](const Json& a, const Json& b) { return a["index"] < b["index"]; });
    Json whole = envelope(object_, std::move(choices_));
    whole["usage"] = usage_json(usage_);
    whole.update(fields_);
    out.add_json(whole);
    return;
  }
  if (generation_.include_usage) {
    Json chunk = envelope(chunk_object_, Json::array());
    chunk["usage"] = usage_json(usage_);
    add_event(chunk, out);
  }
  out.add_text("data: [DONE]\n\n");
}

void ChoicesAnswer::failed(const ApiError& error, AnswerText& out) {
  out.add_text("data: " + error_body(error) + "\n\ndata: [DONE]\n\n");
}

}  // namespace caravel::server::openai
