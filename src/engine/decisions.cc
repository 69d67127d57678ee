#include "engine/decisions.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "chat/output_parser.h"
#include "chat/tool_syntax.h"
#include "text/tokenizer_data.h"

namespace caravel::engine {
namespace {

std::string shown(const TokenizerData& data, int32_t id) {
  const bool known = id >= 0 && static_cast<size_t>(id) < data.tokens.size();
  return fmt::format("{} ({})", known ? data.tokens[static_cast<size_t>(id)].text : "?", id);
}

Decision first_token(const TokenizerData& data, const char* why) {
  if (!data.bos_id) return {"beginning of sequence", "none", why, ""};
  const bool adds_bos = std::ranges::find(data.prefix_ids, *data.bos_id) != data.prefix_ids.end();
  return {"beginning of sequence",
          fmt::format("{}, {}", shown(data, *data.bos_id),
                      adds_bos ? "put before plain prompts" : "not put before plain prompts"),
          why, adds_bos ? "--no-bos (generate, tokenize), add_special_tokens (requests)" : ""};
}

Decision ends(const TokenizerData& data, const GenerationDefaults& defaults, const char* why) {
  std::string value;
  for (const int32_t id : defaults.end_of_generation_ids) value += (value.empty() ? "" : ", ") + shown(data, id);
  return {"end of generation", value.empty() ? "none" : value, why, "--stop-token-ids, --ignore-eos"};
}

Decision chat_template(const EngineConfig& config, const ModelInfo& info) {
  const char* const flag = "--chat-template";
  if (!info.chat_template_error.empty()) return {"chat template", "none", info.chat_template_error, flag};
  if (info.chat_template.empty()) return {"chat template", "none", "the model's files have none", flag};
  return {"chat template", fmt::format("{} characters", info.chat_template.size()),
          config.chat_template.empty() ? "the model's own" : "given", flag};
}

Decision tool_calls(const EngineConfig& config, const ModelInfo& info) {
  const chat::ToolFormat format = chat::tool_format(info.chat_template, config.tool_call_parser);
  const chat::ToolSyntax* syntax = chat::find_syntax(format);
  const char* why = "what the chat template says of calls";
  if (format == chat::ToolFormat::kGeneral) why = "the chat template has no form of calls that is known";
  if (!config.tool_call_parser.empty()) why = "given";
  return {"tool calls", syntax == nullptr ? "none" : std::string(syntax->name), why, "--tool-call-parser"};
}

Decision reasoning(const ModelInfo& info) {
  const chat::ReasoningMarks marks = chat::reasoning_marks(info.chat_template, "");
  const bool none = marks.begin.empty() && marks.end.empty();
  return {"reasoning", none ? "none" : fmt::format("{} ... {}", marks.begin, marks.end), "the chat template's marks",
          "--chat-template"};
}

Decision context(const EngineConfig& config, const ModelInfo& info) {
  std::string why = "all that the model was made for";
  if (info.max_model_len < info.model_max_position) why = "the engine's bound unless one is given";
  if (config.max_model_len != 0) why = "given";
  if (info.memory.lowers_context()) {
    why = fmt::format("lowered from {} for want of memory for the KV cache", info.memory.full_model_len);
  }
  return {"context", fmt::format("{} of {} tokens", info.max_model_len, info.model_max_position), why,
          "--max-model-len, --kv-cache-memory"};
}

}  // namespace

std::vector<Decision> text_decisions(const EngineConfig& config, const format::WeightSource& source,
                                     const GenerationDefaults& defaults, const ModelInfo& info) {
  const TokenizerData& data = source.tokenizer();
  const bool gguf = source.convention() == format::Convention::kGguf;
  return {first_token(data, gguf ? "tokenizer.ggml.bos_token_id and add_bos_token"
                                 : "tokenizer.json and tokenizer_config.json"),
          ends(data, defaults,
               gguf ? "tokenizer.ggml's eos, eot and eom, and names of control tokens"
                    : "generation_config.json, config.json and tokenizer_config.json"),
          chat_template(config, info),
          tool_calls(config, info),
          reasoning(info),
          context(config, info)};
}

}  // namespace caravel::engine
