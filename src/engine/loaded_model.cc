#include "engine/loaded_model.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "device/cpu/cpu_device.h"
#include "engine/choose_sizes.h"
#include "format/model_path.h"
#include "format/weight_source.h"
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

/// By the configuration's template, else by the model's own; one of the model's that cannot be used counts as none.
std::unique_ptr<chat::Renderer> make_renderer(const EngineConfig& config, const Tokenizer& tokenizer,
                                              const std::string& models_own, ModelInfo& info) {
  const auto with = [&](const std::string& source) {
    info.chat_template = source;
    return std::make_unique<chat::Renderer>(tokenizer, source, config.tool_call_parser);
  };
  if (!config.chat_template.empty()) return with(config.chat_template);
  auto without = with("");
  if (models_own.empty()) return without;
  try {
    return with(models_own);
  } catch (const Error& error) {
    log::warn("{}: its chat template cannot be used: {}", info.path, error.what());
    info.chat_template.clear();
    return without;
  }
}

}  // namespace

LoadedModel load_model(const EngineConfig& config) {
  check_config(config);
  LoadedModel model;
  auto device = std::make_unique<CpuDevice>(config.threads, choose_isa(config.isa));
  const auto source = format::open_weights(format::resolve_model(config.model));
  const model::ModelConfig model_config = model::read_config(*source);
  model.info = describe(*source, model_config);
  model.sizes.max_model_len = choose_max_model_len(config, model_config);
  model.sizes.kv_dtype = kv_dtype_of(config.kv_cache_dtype);

  const TokenizerData& data = source->tokenizer();
  model.tokenizer = std::make_unique<Tokenizer>(data);
  model.info.tool_call_parser = config.tool_call_parser;
  model.renderer = make_renderer(config, *model.tokenizer, data.chat_template, model.info);
  model.generation_defaults = source->generation_defaults();
  auto& ends = model.generation_defaults.end_of_generation_ids;
  if (ends.empty() && data.eos_id) ends.push_back(*data.eos_id);

  const auto stream = device->make_stream();
  model::ModelWeights weights = model::load_weights(*stream, *source, model_config);
  model::KvLayout layout = model::kv_layout(model_config, config.block_size, model.sizes.kv_dtype);
  choose_blocks(config, layout, device->memory_available(), model.sizes);
  model.decoder = std::make_unique<model::Decoder>(*device, model_config, std::move(weights), std::move(layout),
                                                   config.max_num_batched_tokens, model.sizes.max_model_len);
  describe_loaded(model.info, *device, *model.decoder, model.sizes, config.block_size);
  model.device = std::move(device);
  return model;
}

}  // namespace caravel::engine
