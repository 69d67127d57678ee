#include <fmt/format.h>

#include <utility>

#include "server/endpoint/engine_work.h"
#include "server/openai/endpoints.h"
#include "server/openai/response_answer.h"
#include "server/openai/response_input.h"

namespace caravel::server::openai {
namespace {

/// How many of the likely tokens come with each token of the text; nothing: no log-probabilities.
std::optional<int> parse_logprobs(Fields& fields, const chat::Tools& tools) {
  constexpr const char* kLogprobs = "message.output_text.logprobs";
  bool wanted = false;
  if (const Json* include = fields.find("include")) {
    size_t index = 0;
    for (const Json& item : as_array(*include, fields.path("include"))) {
      const std::string path = join_path(fields.path("include"), index++);
      // But for log-probabilities, what may be included belongs to tools and inputs that are not served here.
      const std::string& name =
          as_one_of(item, path,
                    {kLogprobs, "reasoning.encrypted_content", "code_interpreter_call.outputs",
                     "computer_call_output.output.image_url", "file_search_call.results",
                     "message.input_image.image_url", "web_search_call.action.sources", "web_search_call.results"});
      wanted = wanted || name == kLogprobs;
    }
  }
  const std::optional<int> top = fields.integer("top_logprobs");
  if (top.value_or(0) > 0 && !wanted) {
    throw bad_field(fields.path("top_logprobs"),
                    fmt::format("'top_logprobs' is only allowed when 'include' has '{}'.", kLogprobs));
  }
  if (!wanted) return std::nullopt;
  if (tools.choice != chat::ToolChoice::kNone) {
    // Which tokens spell a call and which the text around it is not told apart, and must not depend on how a stream
    // was cut.
    throw unsupported_field(fields.path("include"),
                            "log-probabilities come with text alone; leave out the tools, or use /v1/chat/completions");
  }
  return top.value_or(0);
}

/// text.format, or what the other endpoints take.
AnswerForm parse_form(Fields& fields) {
  AnswerForm form = parse_answer_form(fields);
  const Json* value = fields.find("text");
  if (value == nullptr) return form;
  Fields text = fields.inner(*value, "text");
  if (const Json* format = text.find("format")) {
    GrammarSpec spec = parse_format(*format, text.path("format"), FormatShape::kFlat);
    if (spec.kind != GrammarSpec::Kind::kNone) {
      if (!form.field.empty()) throw form_is_given(text.path("format"), form.field);
      form = {.grammar = std::move(spec), .field = text.path("format")};
    }
  }
  text.refuse_unknown();
  return form;
}

/// What the answer repeats of its request.
Json repeated(Fields& fields, const SamplingParams& sampling) {
  Json json = Json::object();
  const auto repeat = [&](std::string_view name, Json otherwise) {
    const Json* value = fields.find(name);
    json[std::string(name)] = value == nullptr ? std::move(otherwise) : *value;
  };
  repeat("instructions", nullptr);
  repeat("max_output_tokens", nullptr);
  repeat("metadata", Json::object());
  repeat("parallel_tool_calls", true);
  repeat("reasoning", {{"effort", nullptr}, {"summary", nullptr}});
  json["temperature"] = as_written(*sampling.temperature);
  repeat("text", {{"format", {{"type", "text"}}}});
  repeat("tool_choice", "auto");
  repeat("tools", Json::array());
  repeat("top_logprobs", 0);
  json["top_p"] = as_written(*sampling.top_p);
  json["truncation"] = "disabled";
  repeat("user", nullptr);
  return json;
}

}  // namespace

std::unique_ptr<http::Work> responses(const Call& call) {
  const Json body = parse_json(call.request.body);
  Fields fields(body, Surface::kResponses);
  Generation generation = parse_generation(fields, Surface::kResponses, call.services);
  generation.prescribe(parse_form(fields));
  const chat::Conversation conversation = parse_response_conversation(fields);
  std::optional<ResponseAnswer::LogprobForm> logprobs;
  if (const std::optional<int> top = parse_logprobs(fields, conversation.tools)) {
    generation.sampling.logprobs = top;
    logprobs.emplace(TokenNames{.tokenizer = call.services.engine.tokenizer()}, static_cast<size_t>(*top));
  }
  const std::optional<int64_t> truncation = parse_truncation(fields);
  Json repeat = repeated(fields, generation.sampling);
  fields.refuse_unknown();

  set_conversation(generation, conversation, truncation, call.services);
  std::vector<std::unique_ptr<RequestHandle>> handles = submit(call, generation);
  return answer_with(
      call, std::move(handles),
      std::make_unique<ResponseAnswer>(generation, AnswerHead::make("resp_", generation.model, call.services),
                                       std::move(repeat), logprobs));
}

}  // namespace caravel::server::openai
