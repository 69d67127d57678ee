#include "server/openai/choices_answer.h"

#include <algorithm>
#include <utility>

#include "server/openai/events.h"

namespace caravel::server::openai {

Json ChoicesAnswer::envelope(const std::string& object, Json choices) const {
  return {{"id", options_.head.id},
          {"object", object},
          {"created", options_.head.created},
          {"model", options_.head.model},
          {"system_fingerprint", options_.head.fingerprint},
          {"choices", std::move(choices)}};
}

void ChoicesAnswer::add_chunk(Json choice, const Json& extra, std::string& out) {
  Json choices = Json::array();
  choices.push_back(std::move(choice));
  Json chunk = envelope(options_.chunk_object, std::move(choices));
  if (options_.request.continuous_usage) {
    chunk["usage"] = usage_json({.prompt_tokens = options_.prompt_tokens, .completion_tokens = generated_});
  } else if (options_.request.include_usage) {
    chunk["usage"] = nullptr;
  }
  chunk.update(extra);
  add_event(chunk, out);
}

void ChoicesAnswer::complete(std::string& out) {
  if (!streams()) {
    // They came as their prompts ended.
    std::sort(choices_.begin(), choices_.end(), [](const Json& a, const Json& b) { return a["index"] < b["index"]; });
    Json whole = envelope(options_.object, std::move(choices_));
    whole["usage"] = usage_json(usage_);
    whole.update(fields_);
    out += to_text(whole);
    return;
  }
  if (options_.request.include_usage) {
    Json chunk = envelope(options_.chunk_object, Json::array());
    chunk["usage"] = usage_json(usage_);
    add_event(chunk, out);
  }
  out += "data: [DONE]\n\n";
}

void ChoicesAnswer::failed(const ApiError& error, std::string& out) {
  out += "data: " + error_body(error) + "\n\ndata: [DONE]\n\n";
}

}  // namespace caravel::server::openai
