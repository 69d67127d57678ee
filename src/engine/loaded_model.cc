#include "engine/loaded_model.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/available_memory.h"
#include "base/error.h"
#include "base/log.h"
#include "device/cpu/cpu_device.h"
#include "engine/choose_sizes.h"
#include "engine/decisions.h"
#include "engine/memory_plan.h"
#include "engine/open_tokenizer.h"
#include "fields/generation_defaults.h"
#include "format/model_path.h"
#include "format/weight_source.h"
#include "text/chat_template.h"
#include "text/tokenizer_data.h"

namespace caravel::engine {
namespace {

/// What the files alone tell.
ModelInfo describe(const format::WeightSource& source, const model::ModelConfig& config) {
  ModelInfo info{.path = source.path(),
                 .name = config.name,
                 .architecture = config.architecture,
                 .layers = static_cast<int>(config.layers.size()),
                 .hidden_size = config.hidden_size,
                 .heads = config.num_heads,
                 .kv_heads = config.num_kv_heads,
                 .head_dim = config.head_dim,
                 .intermediate_size = config.intermediate_size,
                 .vocab_size = config.vocab_size,
                 .model_max_position = config.max_position};
  std::map<DType, ModelInfo::TypeTotal> totals;
  for (const format::WeightInfo& weight : source.weights()) {
    int64_t elements = 1;
    for (const int64_t extent : weight.shape) elements *= extent;
    ModelInfo::TypeTotal& total = totals[weight.dtype];
    total.dtype = dtype_info(weight.dtype).name;
    ++total.tensors;
    total.elements += elements;
    total.bytes += static_cast<int64_t>(weight.data.size());
    info.parameters += elements;
  }
  for (auto& [dtype, total] : totals) info.weights_by_type.push_back(std::move(total));
  std::ranges::sort(info.weights_by_type, std::greater(), &ModelInfo::TypeTotal::bytes);
  return info;
}

/// What the loaded model and its sizes tell.
void describe_loaded(ModelInfo& info, const Device& device, const model::Decoder& decoder, const Sizes& sizes,
                     int block_size) {
  for (const model::LayerWeights& layer : decoder.weights().layers) {
    for (const kernels::PackedWeight* weight : {&layer.qkv, &layer.attn_out, &layer.gate_up, &layer.down}) {
      info.layer_parameters += weight->out() * weight->in();
    }
  }
  const model::KvLayout& layout = decoder.kv_layout();
  info.device = device.name();
  info.max_model_len = sizes.max_model_len;
  info.weight_bytes = static_cast<int64_t>(decoder.weights().bytes);
  info.block_size = block_size;
  info.kv_bytes_per_token = layout.block_bytes() * static_cast<int64_t>(layout.groups.size()) / block_size;
  info.kv_blocks = sizes.blocks;
  info.kv_pool_bytes = sizes.blocks * layout.block_bytes();
  info.kv_tokens = sizes.blocks / static_cast<int64_t>(layout.groups.size()) * block_size;
  info.activation_bytes = static_cast<int64_t>(decoder.activation_bytes());
}

/// What the configuration calls the template: Jinja itself, or one of the model's by its name. Throws NotFound.
std::string chosen_template(const std::string& choice, const TokenizerData& data) {
  if (choice.find('{') != std::string::npos) return choice;
  if (choice == "default" && !data.chat_template.empty()) return data.chat_template;
  const auto named = data.named_templates.find(choice);
  if (named != data.named_templates.end()) return named->second;
  std::string names = data.chat_template.empty() ? "" : ", default";
  for (const auto& [name, source] : data.named_templates) names += ", " + name;
  throw fail<NotFound>(
      "chat template '{}': no such file, no Jinja text, and no name of one of the model's templates ({})", choice,
      names.empty() ? "it has none" : names.substr(2));
}

/// By the configuration's template, else by the model's own; one of the model's that cannot be used counts as none.
std::unique_ptr<chat::Renderer> make_renderer(const EngineConfig& config, const Tokenizer& tokenizer,
                                              const TokenizerData& data, ModelInfo& info) {
  info.tool_call_parser = config.tool_call_parser;
  info.chat_template_traits = config.chat_template_traits;
  const auto made = [&] { return std::make_unique<chat::Renderer>(tokenizer, info); };
  if (!config.chat_template.empty()) {
    info.chat_template = chosen_template(config.chat_template, data);
    return made();
  }
  auto without = made();  // a mistake in the configuration is no fault of the template's
  if (data.chat_template.empty()) return without;
  const auto error_of = [&](const std::string& source, const char* name) -> std::string {
    try {
      text::ChatTemplate{source};
      return "";
    } catch (const Error& error) {
      log::warn("{}: its {} cannot be used: {}", info.path, name, error.what());
      return error.what();
    }
  };
  info.chat_template_error = error_of(data.chat_template, "chat template");
  if (!info.chat_template_error.empty()) return made();
  info.chat_template = data.chat_template;
  const auto tool_use = data.named_templates.find("tool_use");
  if (tool_use != data.named_templates.end() && error_of(tool_use->second, "chat template tool_use").empty()) {
    info.tool_use_template = tool_use->second;
  }
  return made();
}

/// Before they are read: who takes more than there is, is killed, and cannot say why.
void check_weights_fit(const ModelInfo& info, const AvailableMemory& available) {
  int64_t bytes = 0;
  for (const ModelInfo::TypeTotal& total : info.weights_by_type) bytes += total.bytes;
  if (bytes < available.bytes) return;
  throw fail<CapacityError>("{}: its weights take {}, and {} of memory are available ({})", info.path,
                            memory_text(bytes), memory_text(available.bytes), available.bound_by);
}

void tell_lowered_context(const ModelInfo& info) {
  const MemoryPlan& plan = info.memory;
  if (!plan.lowers_context()) return;
  log::warn(
      "{}: the context is {} tokens, not {}: the KV cache has {}, and {} tokens need {} ({} of memory are available: "
      "{}). More memory or --kv-cache-dtype int8 makes it longer",
      info.name, plan.max_model_len, plan.full_model_len, memory_text(plan.kv_cache), plan.full_model_len,
      memory_text(plan.kv_full), memory_text(plan.available), plan.bound_by);
}

}  // namespace

LoadedModel load_model(const EngineConfig& config) {
  check_config(config);
  LoadedModel model;
  model.device = std::make_unique<CpuDevice>(config.threads, choose_isa(config.isa));
  const auto source = format::open_model(format::resolve_model(config.model));
  const model::ModelConfig model_config = model::read_config(*source, config.rope_scaling);
  model.info = describe(*source, model_config);
  const int full_model_len = wanted_max_model_len(config, model_config);
  const kernels::KvDtype kv_dtype = kv_dtype_of(config.kv_cache_dtype);

  const TokenizerData& data = source->tokenizer();
  model.tokenizer = std::make_unique<Tokenizer>(tokenizer_data(*source, config.add_bos_token));
  model.renderer = make_renderer(config, *model.tokenizer, data, model.info);
  const GenerationDefaults card = format::card_defaults(source->path());
  model.generation_defaults = first_said(config.generation, first_said(source->generation_defaults(), card));
  auto& ends = model.generation_defaults.end_of_generation_ids;
  if (ends.empty() && data.eos_id) ends.push_back(*data.eos_id);

  const AvailableMemory available = available_memory();
  check_weights_fit(model.info, available);
  const auto stream = model.device->make_stream();
  model::ModelWeights weights = model::load_weights(*stream, *source, model_config);
  ModelMemory memory{.weights = static_cast<int64_t>(weights.bytes),
                     .kv = model::kv_layout(model_config, config.block_size, kv_dtype),
                     .full_model_len = full_model_len};
  model.decoder = std::make_unique<model::Decoder>(*model.device, model_config, std::move(weights), memory.kv,
                                                   config.max_num_batched_tokens, full_model_len);
  memory.activations = static_cast<int64_t>(
      model.decoder->activation_bytes() +
      ModelRunner::bytes_for(*model.decoder, config.block_size, runner_sizes(config, full_model_len)));
  model.info.memory = plan_memory(available, memory, config);
  tell_lowered_context(model.info);
  model.sizes = choose_sizes(config, memory.kv, model.info.memory);
  describe_loaded(model.info, *model.device, *model.decoder, model.sizes, config.block_size);
  model.info.decisions = text_decisions(config, *source, *model.tokenizer, model.generation_defaults, model.info);
  for (Decision& decision : model.renderer->describe()) model.info.decisions.push_back(std::move(decision));
  model.info.decisions.insert(model.info.decisions.end(), model_config.decisions.begin(), model_config.decisions.end());
  return model;
}

}  // namespace caravel::engine
