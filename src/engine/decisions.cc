#include "engine/decisions.h"

#include <fmt/ranges.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/available_memory.h"
#include "chat/output_parser.h"
#include "chat/tool_syntax.h"
#include "device/open_device.h"
#include "engine/open_tokenizer.h"
#include "fields/generation_defaults.h"
#include "format/model_path.h"
#include "text/tokenizer_data.h"

namespace caravel::engine {
namespace {

std::string shown(const TokenizerData& tokenizer, int32_t id) {
  const bool known = id >= 0 && static_cast<size_t>(id) < tokenizer.tokens.size();
  return fmt::format("{} ({})", known ? tokenizer.tokens[static_cast<size_t>(id)].text : "?", id);
}

Decision first_token(const EngineConfig& config, const format::WeightSource& source, const char* why) {
  const TokenizerData& tokenizer = source.tokenizer();
  const bool adds_bos = puts_bos_first(source, config.add_bos_token);
  if (!tokenizer.bos_id) return {"beginning of sequence", "none", why, ""};
  return {"beginning of sequence",
          fmt::format("{}, {}", shown(tokenizer, *tokenizer.bos_id),
                      adds_bos ? "put before plain prompts" : "not put before plain prompts"),
          config.add_bos_token == AddBos::kAuto ? why : "given",
          fmt::format("--add-bos-token{}",
                      adds_bos ? ", --no-bos (generate, tokenize), add_special_tokens (requests)" : "")};
}

Decision ends(const TokenizerData& tokenizer, const GenerationDefaults& defaults, const char* why) {
  std::string value;
  for (const int32_t id : defaults.end_of_generation_ids) value += (value.empty() ? "" : ", ") + shown(tokenizer, id);
  return {"end of generation", value.empty() ? "none" : value, why, "--stop-token-ids, --ignore-eos"};
}

/// How a request that says nothing is drawn, and who says so of which parameters.
Decision sampling(const EngineConfig& config, const format::WeightSource& source, const GenerationDefaults& defaults) {
  std::string value;
  std::map<std::string_view, std::vector<std::string_view>> names;  // by who says it
  const GenerationDefaults card = format::card_defaults(source.path());
  for (const auto& [field, number] : default_parameters(defaults, Surface::kRows)) {
    const bool given = said(config.generation, *field).has_value();
    const bool of_files = said(source.generation_defaults(), *field).has_value();
    const std::string_view who = given                ? "given"
                                 : of_files           ? "the model's files"
                                 : said(card, *field) ? "the model's card"
                                                      : "the engine's default";
    if (field->member == RequestField::Member(&SamplingParams::max_tokens) && !given && !of_files) continue;
    value += fmt::format("{}{} {}", value.empty() ? "" : ", ", field->name, number);
    names[who].push_back(field->name);
  }
  std::string why;
  for (const auto& [who, of] : names) {
    why += fmt::format("{}{}: {}", why.empty() ? "" : "; ", who, fmt::join(of, ", "));
  }
  return {"sampling", value, why, "--temperature and so on, --override-generation-config (serve)"};
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
  const std::string where =
      marks.in_channels ? "the analysis channel" : fmt::format("{} ... {}", marks.begin, marks.end);
  return {"reasoning", none ? "none" : where, "the chat template's marks", "--chat-template"};
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

std::vector<Decision> device_decisions(const EngineConfig& config, const ModelInfo& info) {
  std::vector<Decision> decisions = {{"device", info.device, choose_device(config.device).why, "--device"}};
  if (info.memory.cpu_layers > 0) {
    decisions.push_back({"layers on the GPU", fmt::format("the last {} of {}", config.n_gpu_layers, info.layers),
                         "given", "--n-gpu-layers"});
  }
  if (info.memory.streamed > 0) {
    decisions.push_back({"streamed layers",
                         fmt::format("{} of {}, {} in the host's memory", info.memory.streamed_layers, info.layers,
                                     memory_text(info.memory.streamed)),
                         config.weight_offload == kOffloadAuto ? "the device has no room for all weights" : "given",
                         "--weight-offload"});
  }
  return decisions;
}

std::vector<Decision> rotary_decisions(const model::ModelConfig& config, int64_t max_context) {
  std::vector<Decision> decisions;
  for (const model::RotarySpec& spec : config.rotary) {
    if (spec.long_inverse_freq.empty()) continue;
    const bool is_long = spec.is_long(max_context);
    decisions.push_back({"rotary factors", is_long ? "long" : "short",
                         fmt::format("sequences may have {} tokens, {} than {}", max_context,
                                     is_long ? "more" : "no more", spec.short_context),
                         "--max-model-len"});
  }
  return decisions;
}

std::vector<Decision> weight_decisions(const EngineConfig& config) {
  std::vector<Decision> decisions;
  if (config.load_format == LoadFormat::kDummy) decisions.push_back({"weights", "random", "given", "--load-format"});
  if (config.quantization != Quantization::kNone) {
    const bool fp8 = config.quantization == Quantization::kFp8;
    decisions.push_back({"weights",
                         fp8 ? "F8_E4M3 where the files have them unquantised, but for the embedding and the LM head"
                             : "Q8_0 where the files have them unquantised",
                         "given", "--quantization"});
  }
  return decisions;
}

std::vector<Decision> text_decisions(const EngineConfig& config, const format::WeightSource& source,
                                     const GenerationDefaults& defaults, const ModelInfo& info) {
  const bool gguf = source.convention() == format::Convention::kGguf;
  return {
      first_token(config, source,
                  gguf ? "tokenizer.ggml.bos_token_id and add_bos_token" : "tokenizer.json and tokenizer_config.json"),
      ends(source.tokenizer(), defaults,
           gguf ? "tokenizer.ggml's eos, eot and eom, and names of control tokens"
                : "generation_config.json, config.json and tokenizer_config.json"),
      sampling(config, source, defaults),
      chat_template(config, info),
      tool_calls(config, info),
      reasoning(info),
      context(config, info)};
}

}  // namespace caravel::engine
