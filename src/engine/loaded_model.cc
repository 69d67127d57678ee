#include "engine/loaded_model.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "base/available_memory.h"
#include "base/error.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "device/open_device.h"
#include "engine/check_vocabulary.h"
#include "engine/choose_sizes.h"
#include "engine/decisions.h"
#include "engine/loaded_encoder.h"
#include "engine/memory_advice.h"
#include "engine/memory_plan.h"
#include "engine/open_tokenizer.h"
#include "engine/stages.h"
#include "fields/generation_defaults.h"
#include "format/fingerprint.h"
#include "format/model_path.h"
#include "format/weight_source.h"
#include "model/arch/architecture.h"
#include "model/check_device.h"
#include "model/dummy_source.h"
#include "model/weight_layout.h"
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
                 .experts = config.experts.rule.experts,
                 .experts_per_token = config.experts.rule.per_token,
                 .expert_intermediate_size = config.experts.intermediate_size,
                 .shared_intermediate_size = config.experts.shared_intermediate_size,
                 .model_max_position = config.max_position};
  describe_weights(source, info);
  return info;
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

/// The configuration's template, else the model's own; one of the model's that cannot be used counts as none.
void choose_templates(const EngineConfig& config, const TokenizerData& data, ModelInfo& info) {
  info.tool_call_parser = config.tool_call_parser;
  info.chat_template_traits = config.chat_template_traits;
  if (!config.chat_template.empty()) {
    info.chat_template = chosen_template(config.chat_template, data);
    return;
  }
  if (data.chat_template.empty()) return;
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
  if (!info.chat_template_error.empty()) return;
  info.chat_template = data.chat_template;
  const auto tool_use = data.named_templates.find("tool_use");
  if (tool_use != data.named_templates.end() && error_of(tool_use->second, "chat template tool_use").empty()) {
    info.tool_use_template = tool_use->second;
  }
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

/// The first layers, which the CPU computes beside a GPU.
struct CpuStage {
  std::unique_ptr<Device> device;
  model::ModelConfig config;
  model::WeightLayout weights;
  model::KvLayout kv;
};

/// A model as the headers of its files have it.
struct Headers {
  std::unique_ptr<format::WeightSource> source;
  model::ModelConfig config;
  model::WeightLayout weights;             // of the configuration's shard
  std::optional<CpuStage> cpu;             // what comes before that
  GenerationDefaults generation_defaults;  // every id that ends an answer is in it
  ModelInfo info;
};

/// Where a GPU is to have no layer, the CPU has all.
EngineConfig chosen_device(EngineConfig config) {
  if (config.n_gpu_layers == 0) config.device = "cpu";
  return config;
}

/// A stage for the CPU, where the device has fewer layers than there are.
void share_layers(const EngineConfig& config, const Device& device, Headers& headers) {
  const auto layers = static_cast<int64_t>(headers.config.layers.size());
  const int64_t of_gpu = config.n_gpu_layers;
  if (device.unified() && of_gpu > 0) {
    log::warn("n_gpu_layers is {}: there is no GPU that could have them, so {} has all layers", of_gpu, device.name());
  }
  if (device.unified() || of_gpu <= 0 || of_gpu >= layers) return;
  CpuStage& cpu = headers.cpu.emplace();
  EngineConfig of_cpu = config;
  of_cpu.device = "cpu";
  cpu.device = open_device(of_cpu);
  cpu.config = headers.config;
  cpu.config.placement = {.stage = 0, .stages = 2, .stage_layers = {layers - of_gpu, of_gpu}};
  cpu.weights = model::weight_layout(*cpu.device, *headers.source, cpu.config);
  cpu.kv = model::kv_layout(*cpu.device, cpu.config, config.block_size, kv_dtype_of(config.kv_cache_dtype));
  headers.config.placement = cpu.config.placement;
  headers.config.placement.stage = 1;
}

Headers read_headers(const EngineConfig& config, Device& device, std::unique_ptr<format::WeightSource> opened) {
  Headers headers{.source = std::move(opened)};
  const format::WeightSource& source = *headers.source;
  headers.config = model::read_config(source, config.rope_scaling);
  if (auto without_rows = check_vocabulary(source, headers.config.vocab_size)) {
    headers.config.decisions.push_back(*std::move(without_rows));
  }
  model::check_device(device, headers.config);
  headers.config.quantization = config.quantization;
  share_layers(config, device, headers);
  headers.weights = model::weight_layout(device, source, headers.config);
  const GenerationDefaults card = format::card_defaults(source.path());
  headers.generation_defaults = first_said(config.generation, first_said(source.generation_defaults(), card));
  auto& ends = headers.generation_defaults.end_of_generation_ids;
  if (ends.empty() && source.tokenizer().eos_id) ends.push_back(*source.tokenizer().eos_id);
  headers.info = describe(source, headers.config);
  choose_templates(config, source.tokenizer(), headers.info);
  return headers;
}

/// Why and what instead, where there is anything.
std::string refusal(std::string why, const std::string& what_fits) {
  return what_fits.empty() ? std::move(why) : fmt::format("{}. What fits: {}", why, what_fits);
}

/// Decides where the memory goes, and says so in `headers.info`. Throws CapacityError for what the configuration alone
/// asks too much of.
ModelMemory plan(const EngineConfig& config, Device& device, Headers& headers) {
  if (device.unified() && config.weight_offload > 0) {
    throw fail<InvalidArgument>("weight_offload is {}: {} has no memory of its own, so nothing can be kept from it",
                                memory_text(config.weight_offload), device.name());
  }
  const auto memory_of = [&](const EngineConfig& of) {
    ModelMemory memory = model_memory(device, headers.config, headers.weights, of);
    if (headers.cpu) {
      const ModelMemory cpu = model_memory(*headers.cpu->device, headers.cpu->config, headers.cpu->weights, of);
      memory.on_cpu = cpu.weights + cpu.activations;
      memory.cpu_block = cpu.kv.block_bytes();
    }
    return memory;
  };
  ModelMemory memory = memory_of(config);
  const MemoryRoom room = memory_room(device, config);
  ModelInfo& info = headers.info;
  const auto smaller = [&] { return smaller_quantizations(device, headers.weights); };
  const auto advice = [&] { return memory_advice(room, config, memory_of, smaller()); };
  try {
    info.memory = plan_memory(room, memory, config);
  } catch (const CapacityError& error) {
    throw CapacityError(refusal(error.what(), advice()));
  }
  if (!info.memory.fits()) {
    std::string what_fits = advice();
    if (what_fits.empty()) what_fits = smaller_model(info.memory, smaller());
    info.memory_shortage = refusal(fmt::format("{}: {}", info.path, shortage_text(info.memory)), what_fits);
  }
  tell_lowered_context(info);
  if (info.memory.fits() && info.memory.streamed > 0 && config.weight_offload == kOffloadAuto) {
    log::warn("{}: {} has no room for all weights: {} of {} layers ({}) come from the host's memory in every step",
              info.name, device.name(), info.memory.streamed_layers, info.layers, memory_text(info.memory.streamed));
  }
  return memory;
}

/// What the headers and the plan tell.
void describe_planned(const EngineConfig& config, Headers& headers, const Device& device, const ModelMemory& memory,
                      const Sizes& sizes) {
  ModelInfo& info = headers.info;
  info.active_parameters = info.parameters;
  const auto add = [&](const model::WeightLayout& weights) {
    const auto bytes = static_cast<int64_t>(weights.bytes);
    info.weight_bytes += bytes;
    info.token_weight_bytes += bytes;
    if (weights.lm_head) info.token_weight_bytes -= static_cast<int64_t>(weights.embedding.bytes());  // but for a row
    for (const model::LayerLayout& layer : weights.layers) {
      for (const model::MatrixLayout* matrix : model::matrices_of(layer)) {
        const bool routed = matrix == &layer.expert_gate_up || matrix == &layer.expert_down;
        const int chosen = routed ? info.experts_per_token : matrix->experts();
        const int64_t left_out = matrix->experts() - chosen;
        info.layer_parameters += matrix->out() * matrix->in() * chosen;
        info.active_parameters -= matrix->out() * matrix->in() * left_out;
        info.token_weight_bytes -= static_cast<int64_t>(matrix->bytes()) / matrix->experts() * left_out;
      }
      for (const model::VectorLayout* bias : {&layer.expert_gate_up_bias, &layer.expert_down_bias}) {
        if (!*bias) continue;
        const int64_t left_out = bias->width() / info.experts * (info.experts - info.experts_per_token);
        info.active_parameters -= left_out;
        info.token_weight_bytes -= left_out * static_cast<int64_t>(sizeof(float));
      }
    }
  };
  add(headers.weights);
  if (headers.cpu) add(headers.cpu->weights);
  const int64_t block = memory.kv.block_bytes() + memory.cpu_block;
  const auto groups = static_cast<int64_t>(memory.kv.groups.size());
  info.device = device.name();
  info.max_model_len = sizes.max_model_len;
  info.block_size = config.block_size;
  info.max_num_seqs = config.max_num_seqs;
  info.max_num_batched_tokens = config.max_num_batched_tokens;
  info.kv_bytes_per_token = block * groups / config.block_size;
  info.kv_blocks = sizes.blocks;
  info.kv_pool_bytes = sizes.blocks * block;
  info.kv_groups = static_cast<int>(groups);
  info.kv_tokens = sizes.blocks / groups * config.block_size;
  info.activation_bytes = info.memory.activations;
}

/// of_templates: what was found out about them.
void describe_decisions(const EngineConfig& config, Headers& headers, std::vector<Decision> of_templates) {
  std::vector<Decision>& all = headers.info.decisions;
  all = device_decisions(config, headers.info);
  std::ranges::copy(text_decisions(config, *headers.source, headers.generation_defaults, headers.info),
                    std::back_inserter(all));
  std::ranges::move(of_templates, std::back_inserter(all));
  std::ranges::copy(weight_decisions(config), std::back_inserter(all));
  std::ranges::copy(headers.config.decisions, std::back_inserter(all));
  std::ranges::copy(rotary_decisions(headers.config, headers.info.memory.full_model_len), std::back_inserter(all));
}

/// The rank of a stage, with its weights.
std::unique_ptr<Rank> load_rank(const EngineConfig& config, const Headers& headers, Device& device,
                                const model::ModelConfig& of_stage, const model::KvLayout& kv, const Sizes& sizes,
                                const model::Peers& peers, std::span<const size_t> in_host = {}) {
  model::DeviceSink sink(device);
  auto weights =
      std::make_shared<const model::ModelWeights>(model::load_weights(sink, *headers.source, of_stage, in_host));
  auto decoder =
      std::make_unique<model::Decoder>(device, of_stage, std::move(weights), kv, config.max_num_batched_tokens,
                                       headers.info.memory.full_model_len, peers);
  const Rank::Blocks blocks{
      .size = config.block_size, .dtype = sizes.kv_dtype, .device = sizes.blocks, .host = sizes.host_blocks};
  Rank::Sizes of_rank = rank_sizes(config, sizes.max_model_len);
  of_rank.steps = sizes.steps_in_flight;
  return std::make_unique<Rank>(device, std::move(decoder), blocks, of_rank);
}

void load_ranks(const EngineConfig& config, Headers& headers, const model::KvLayout& kv, LoadedModel& model) {
  const model::ModelConfig& whole = headers.config;
  model::Peers cpu_peers;
  model::Peers peers;
  if (headers.cpu) {
    model.cpu = std::move(headers.cpu->device);
    const int64_t hidden = int64_t{config.max_num_batched_tokens} * whole.hidden_size;
    const int64_t widest = std::max<int64_t>(hidden, config.max_num_seqs);
    model.relay = std::make_unique<comm::HostRelay>(*model.device, 2, static_cast<size_t>(widest) * sizeof(float));
    cpu_peers.pipeline = &model.relay->member(0);
    peers.pipeline = &model.relay->member(1);
    model.cpu_rank =
        load_rank(config, headers, *model.cpu, headers.cpu->config, headers.cpu->kv, model.sizes, cpu_peers);
  }
  const std::vector<size_t> in_host =
      streamed_layers(headers.weights.layers.size(), headers.info.memory.streamed_layers);
  model.rank = load_rank(config, headers, *model.device, whole, kv, model.sizes, peers, in_host);
  if (model.cpu_rank) model.stages = std::make_unique<Stages>(std::vector{model.cpu_rank.get(), model.rank.get()});
}

/// As its files spell it; empty: there is none.
std::string_view token_text(const TokenizerData& data, const std::optional<int32_t>& id) {
  if (!id || *id < 0 || static_cast<size_t>(*id) >= data.tokens.size()) return {};
  return data.tokens[static_cast<size_t>(*id)].text;
}

}  // namespace

std::unique_ptr<format::WeightSource> open_source(const EngineConfig& config) {
  const std::string path = format::resolve_model(config.model);
  if (config.load_format == LoadFormat::kAuto) return format::open_model(path);
  return model::make_dummy(format::open_without_weights(path), {.dtype = config.dummy_dtype, .seed = config.seed});
}

void describe_weights(const format::WeightSource& source, ModelInfo& info) {
  std::map<DType, ModelInfo::TypeTotal> totals;
  for (const format::WeightInfo& weight : source.weights()) {
    int64_t elements = 1;
    for (const int64_t extent : weight.shape) elements *= extent;
    ModelInfo::TypeTotal& total = totals[weight.dtype];
    total.dtype = dtype_info(weight.dtype).name;
    ++total.tensors;
    total.elements += elements;
    total.bytes += static_cast<int64_t>(weight.bytes + (weight.scale != nullptr ? weight.scale->bytes : 0));
    info.parameters += elements;
  }
  for (auto& [dtype, total] : totals) info.weights_by_type.push_back(std::move(total));
  std::ranges::sort(info.weights_by_type, std::greater(), &ModelInfo::TypeTotal::bytes);
}

LoadedModel load_model(const EngineConfig& wanted, std::unique_ptr<format::WeightSource> source,
                       const LoadHooks& hooks) {
  check_config(wanted);
  if (const int usable = usable_processors(); wanted.threads > usable) {
    log::warn(
        "{} threads are more than the {} processors that this process may use: they wait for each other in every "
        "step, which makes it many times slower",
        wanted.threads, usable);
  }
  LoadedModel model;
  model.device = hooks.open_device(chosen_device(wanted));
  model.config = with_step_sizes(wanted, *model.device);
  const EngineConfig& config = model.config;
  Headers headers = read_headers(config, *model.device, source ? std::move(source) : open_source(config));
  // Before the plan, so that what these take counts as taken.
  TokenizerData tokens = tokenizer_data(*headers.source, config.add_bos_token);
  // Rows behind the tokenizer's last token are drawn and given as any other, and are no text.
  const auto rows = static_cast<size_t>(headers.config.vocab_size);
  if (tokens.tokens.size() < rows) tokens.tokens.resize(rows, {.type = TokenType::kUnused});
  model.tokenizer = std::make_unique<Tokenizer>(std::move(tokens));
  model.renderer = std::make_unique<chat::Renderer>(*model.tokenizer, headers.info);
  ModelMemory memory = plan(config, *model.device, headers);
  if (!headers.info.memory.fits()) throw CapacityError(headers.info.memory_shortage);
  model.sizes = choose_sizes(config, memory, headers.info.memory);
  describe_planned(config, headers, *model.device, memory, model.sizes);
  describe_decisions(config, headers, model.renderer->describe());

  // Where a step is computed by the processors that plan the next one, these had better do one after the other; and a
  // stage has one step.
  model.sizes.steps_in_flight = hooks.steps_in_flight.value_or(model.device->unified() ? 1 : 2);
  if (headers.cpu) model.sizes.steps_in_flight = 1;
  load_ranks(config, headers, memory.kv, model);
  headers.info.fingerprint = format::fingerprint(*headers.source);
  model.generation_defaults = std::move(headers.generation_defaults);
  model.info = std::move(headers.info);
  return model;
}

}  // namespace caravel::engine

namespace caravel {

ModelInfo describe_model(const EngineConfig& wanted) {
  engine::check_config(wanted);
  std::unique_ptr<format::WeightSource> source = engine::open_source(wanted);
  if (model::names_encoder(*source)) return engine::describe_encoder(wanted, *source);
  const std::unique_ptr<Device> opened = open_device_to_plan(engine::chosen_device(wanted));
  Device& device = *opened;
  const EngineConfig config = engine::with_step_sizes(wanted, device);
  engine::Headers headers = engine::read_headers(config, device, std::move(source));
  const TokenizerData& data = headers.source->tokenizer();
  std::vector<Decision> of_templates = chat::Renderer::describe(headers.info, engine::token_text(data, data.bos_id),
                                                                engine::token_text(data, data.eos_id));
  const engine::ModelMemory memory = engine::plan(config, device, headers);
  const engine::Sizes sizes = engine::choose_sizes(config, memory, headers.info.memory);
  engine::describe_planned(config, headers, device, memory, sizes);
  engine::describe_decisions(config, headers, std::move(of_templates));
  return std::move(headers.info);
}

}  // namespace caravel
