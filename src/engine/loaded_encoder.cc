#include "engine/loaded_encoder.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/available_memory.h"
#include "base/check.h"
#include "base/error.h"
#include "engine/check_vocabulary.h"
#include "engine/choose_sizes.h"
#include "engine/decisions.h"
#include "engine/loaded_model.h"
#include "engine/memory_plan.h"
#include "engine/open_tokenizer.h"
#include "model/encoder_weights.h"

namespace caravel::engine {
namespace {

struct EncoderHeaders {
  model::EncoderConfig config;
  ModelInfo info;
};

/// Throws Unsupported for a GPU: what an encoder alone has, no GPU has.
EngineConfig on_cpu(EngineConfig config, const format::WeightSource& source) {
  if (config.device != "auto" && config.device != "cpu") {
    throw fail<Unsupported>("{} is an encoder, which runs on the CPU alone: device is {}, give cpu or auto",
                            source.path(), config.device);
  }
  config.device = "cpu";
  return config;
}

Decision text_length(const EngineConfig& config, const format::WeightSource& source, const ModelInfo& info) {
  const bool said = source.sentence_modules().max_length > 0;
  const char* why = said ? "sentence_bert_config.json's max_seq_length" : "all that the model was made for";
  return {"context", fmt::format("{} of {} tokens", info.max_model_len, info.model_max_position),
          config.max_model_len != 0 ? "given" : why, "--max-model-len"};
}

EncoderHeaders read_encoder_headers(const EngineConfig& wanted, Device& device, const format::WeightSource& source) {
  const EngineConfig config = with_step_sizes(wanted, device);
  EncoderHeaders headers{.config = model::read_encoder_config(source)};
  model::EncoderConfig& model = headers.config;
  if (auto without_rows = check_vocabulary(source, model.vocab_size))
    model.decisions.push_back(*std::move(without_rows));
  model.quantization = config.quantization;
  const model::EncoderLayout layout = model::encoder_layout(device, source, model);
  ModelInfo& info = headers.info;
  info = {.path = source.path(),
          .name = model.name,
          .architecture = "bert",
          .device = device.name(),
          .layers = model.num_layers,
          .hidden_size = model.hidden_size,
          .heads = model.num_heads,
          .kv_heads = model.num_heads,
          .head_dim = model.head_dim,
          .intermediate_size = model.intermediate_size,
          .vocab_size = model.vocab_size,
          .model_max_position = model.max_position,
          .max_model_len = wanted_max_model_len(config, model.max_position, model.max_length),
          .pooling = std::string(model::pooling_name(model.pooling)),
          .normalizes = model.normalizes};
  describe_weights(source, info);
  for (const auto& layer : layout.layers) {
    for (const model::MatrixLayout* matrix : {&layer.qkv, &layer.attn_out, &layer.up, &layer.down}) {
      info.layer_parameters += matrix->out() * matrix->in();
    }
  }
  // A text is never parted: each of its tokens sees all of them.
  info.max_num_seqs = config.max_num_seqs;
  info.max_num_batched_tokens = std::max(config.max_num_batched_tokens, info.max_model_len);
  const size_t activations =
      model::Encoder::activation_bytes(device, model, layout, info.max_num_batched_tokens, info.max_model_len);
  info.memory = plan_encoder_memory(available_memory(), static_cast<int64_t>(layout.bytes),
                                    static_cast<int64_t>(activations), info.max_model_len);
  info.active_parameters = info.parameters;
  info.weight_bytes = info.token_weight_bytes = info.memory.weights;
  info.activation_bytes = info.memory.activations;
  if (!info.memory.fits()) info.memory_shortage = fmt::format("{}: {}", info.path, shortage_text(info.memory));
  info.decisions = {{"device", info.device, "an encoder", ""}, text_length(config, source, info)};
  std::ranges::copy(weight_decisions(config), std::back_inserter(info.decisions));
  std::ranges::copy(model.decisions, std::back_inserter(info.decisions));
  return headers;
}

}  // namespace

ModelInfo describe_encoder(const EngineConfig& config, const format::WeightSource& source) {
  return read_encoder_headers(config, *open_device(on_cpu(config, source)), source).info;
}

LoadedEncoder load_encoder(const EngineConfig& config, const format::WeightSource& source, const LoadHooks& hooks) {
  LoadedEncoder loaded;
  loaded.device = hooks.open_device(on_cpu(config, source));
  // Before the plan, so that what it takes counts as taken.
  loaded.tokenizer = std::make_unique<Tokenizer>(tokenizer_data(source, config.add_bos_token));
  EncoderHeaders headers = read_encoder_headers(config, *loaded.device, source);
  if (!headers.info.memory.fits()) throw CapacityError(headers.info.memory_shortage);
  model::DeviceSink sink(*loaded.device);
  loaded.encoder = std::make_unique<model::Encoder>(*loaded.device, headers.config,
                                                    model::load_encoder_weights(sink, source, headers.config),
                                                    headers.info.max_num_batched_tokens, headers.info.max_model_len);
  CARAVEL_CHECK_EQ(static_cast<int64_t>(loaded.encoder->activation_bytes()), headers.info.memory.activations);
  loaded.info = std::move(headers.info);
  return loaded;
}

}  // namespace caravel::engine
