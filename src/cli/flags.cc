#include "cli/flags.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/numbers.h"
#include "base/overloaded.h"
#include "caravel/request.h"
#include "chat/output_parser.h"
#include "cli/flag_table.h"
#include "cli/usage.h"
#include "device/cpu/isa.h"
#include "device/dtype.h"
#include "device/open_device.h"
#include "fields/fields.h"
#include "fields/generation_defaults.h"

namespace caravel::cli {
namespace {

/// "TOKEN:BIAS", as in --logit-bias 42:-100.
std::pair<int32_t, float> parse_bias(std::string_view text) {
  const size_t colon = std::min(text.find(':'), text.size());
  const auto token = parse_number<int32_t>(text.substr(0, colon));
  const auto bias = parse_number<float>(text.substr(std::min(colon + 1, text.size())));
  if (!token || !bias) {
    throw fail<UsageError>("--logit-bias '{}': give TOKEN_ID:BIAS, for example 42:-100", text);
  }
  return {*token, *bias};
}

/// What --help says of a flag that is not given.
std::string default_text(const RequestField& field, Surface surface) {
  const std::optional<double> value = field.default_on(surface);
  if (!value) return "";
  const auto shown = [](double number) {
    return number == std::numeric_limits<int>::max() ? "what the context leaves" : fmt::format("{}", number);
  };
  const bool from_model = !std::holds_alternative<std::monostate>(field.model);
  std::string text = (from_model ? "the model's, else " : "") + shown(*value);
  const std::optional<double> chat = field.default_on(Surface::kTerminal);
  if (surface == Surface::kFlags && chat != value) text += fmt::format(", or {} with --chat", shown(*chat));
  return text;
}

/// An option that takes one of these names.
template <typename Enum>
CLI::Option* add_choice(CLI::App& command, const char* flag, Enum& value,
                        const std::vector<std::pair<std::string, Enum>>& names, const char* help) {
  const auto set = [&value, names](const std::string& name) {
    value = std::ranges::find(names, name, &std::pair<std::string, Enum>::first)->second;
  };
  const auto shown = std::ranges::find(names, value, &std::pair<std::string, Enum>::second)->first;
  std::vector<std::string> keys;
  for (const auto& [name, each] : names) keys.push_back(name);
  return command.add_option_function<std::string>(flag, set, help)->transform(one_of(keys))->default_str(shown);
}

}  // namespace

void ChatFlags::add_to(CLI::App& command, EngineConfig& config) {
  const char* const group = "Chat";
  const std::vector<std::string> formats = chat::tool_format_names();
  command
      .add_option("--chat-template", chat_template_,
                  "Jinja, a file or the text itself, or the name of one of the model's templates. Default: the model's "
                  "tool_use where there is one and tools are given, else its default")
      ->check(not_empty())
      ->group(group);
  command
      .add_option("--chat-template-traits", config.chat_template_traits,
                  "What the template wants to be given, such as content=parts,arguments=text. Default: found out by "
                  "probes; docs/chat-templates.md has the list")
      ->check(not_empty())
      ->group(group);
  command
      .add_option("--tool-call-parser", config.tool_call_parser,
                  "How the model spells tool calls. Default: from the chat template, general where it has none")
      ->transform(one_of(formats))
      ->transform(CLI::Transformer(std::map<std::string, std::string>{{"llama3_json", "llama3"},
                                                                      {"openai", "harmony"},
                                                                      {"deepseek_v3", "deepseek"},
                                                                      {"deepseek_v31", "deepseek"},
                                                                      {"glm45", "glm"},
                                                                      {"glm47", "glm"},
                                                                      {"minimax_m2", "minimax"},
                                                                      {"phi4_mini_json", "phi4"}})
                      .description(""))
      ->group(group);
}

EngineConfig ChatFlags::load(EngineConfig config) const {
  std::error_code error;
  if (chat_template_.empty()) return config;
  if (std::filesystem::is_regular_file(chat_template_, error)) {
    config.chat_template = read_file(chat_template_);
  } else {
    config.chat_template = chat_template_;
  }
  return config;
}

void add_model_flags(CLI::App& command, EngineConfig& config) {
  // A prompt that was not given as one is taken for the model.
  const auto is_no_prompt = [&command](const std::string& text) -> std::string {
    if (text.empty()) return "'': give a model, or leave it out for smollm2";
    if (text.find_first_of(" \t\n") == text.npos || is_there(text)) return "";
    const std::string hint = text_hint(command);
    return hint.empty() ? "" : fmt::format("'{}' is no model; {}", text, hint);
  };
  command
      .add_option("MODEL,-m,--model", config.model,
                  "A .gguf file, a Hugging Face folder, org/name from the Hub's local cache, or a name in the cache of "
                  "fetched models; the default is smollm2. -m and --model give it too")
      ->check(is_no_prompt);
  add_choice<AddBos>(command, "--add-bos-token", config.add_bos_token,
                     {{"auto", AddBos::kAuto}, {"yes", AddBos::kYes}, {"no", AddBos::kNo}},
                     "The beginning of sequence before plain prompts; auto: as the model's files have it")
      ->group(kEngineGroup);
}

void add_processor_flags(CLI::App& command, EngineConfig& config) {
  const auto runs_here = [](const std::string& name) {
    std::vector<std::string_view> known = {"auto"};
    for (const Isa isa : available_isas()) known.push_back(isa_name(isa));
    if (std::ranges::find(known, name) != known.end()) return std::string();
    return fmt::format("{} is not available on this machine; there are {}", name, fmt::join(known, ", "));
  };
  const auto is_device = [](const std::string& name) {
    try {
      check_device(name);
    } catch (const InvalidArgument&) {
      return fmt::format("{}: give auto, cpu, cuda or cuda:N", name);
    }
    return std::string();
  };
  command
      .add_option("--device", config.device,
                  "Where the model runs; cuda:1 is the second GPU, cuda:80GiB for inspect one that is not there; auto: "
                  "the first GPU where one can be used, else the CPU")
      ->check(CLI::Validator(is_device, "{auto,cpu,cuda}"))
      ->group(kEngineGroup);
  command.add_option("-t,--threads", config.threads, "Processors to use; 0: all that this process may")
      ->transform(whole_number(0, 1024))
      ->group(kEngineGroup);
  add_choice<CpuIsa>(command, "--isa", config.isa,
                     {{"auto", CpuIsa::kAuto},
                      {"portable", CpuIsa::kPortable},
                      {"avx2", CpuIsa::kAvx2},
                      {"avx512vnni", CpuIsa::kAvx512Vnni},
                      {"avx512amx", CpuIsa::kAvx512Amx}},
                     "Instruction set; auto: the fastest that this machine has")
      ->check(runs_here)
      ->group(kEngineGroup);
}

void add_engine_flags(CLI::App& command, EngineConfig& config) {
  add_model_flags(command, config);
  add_processor_flags(command, config);
  const std::string group = kEngineGroup;
  command
      .add_option("--rope-scaling", config.rope_scaling,
                  "Rotary scaling in place of the model's own: none, or JSON as in a config.json, such as "
                  R"({"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":32768})")
      ->type_name("JSON")
      ->check(not_empty())
      ->group(group);
  // perplexity has a --ctx-size that is a window's.
  const bool has_windows = command.get_option_no_throw("--ctx-size") != nullptr;
  command
      .add_option(has_windows ? "--max-model-len" : "-c,--max-model-len,--ctx-size", config.max_model_len,
                  "Longest sequence, prompt and answer; refused where the KV cache cannot hold it; 0: the model's, "
                  "or what the KV cache holds")
      ->check(not_negative())
      ->group(group);
  // A bare number counts bytes, as in vLLM's --kv-cache-memory-bytes; a small one was meant in another unit.
  command
      .add_option("--gpu-memory-utilization", config.gpu_memory_utilization,
                  "Of a GPU's free memory, how much may be taken")
      ->check(number_in({.low = 0, .high = 1, .above = true}))
      ->group(group);
  command.add_option("--kv-cache-memory", config.kv_cache_memory, "Memory of the KV cache, such as 512MiB; 0: chosen")
      ->transform(byte_size(/*bare=*/1, /*least_bare=*/1 << 20))
      ->group(group);
  static const std::map<std::string, std::string> kKvDtypes = {
      {"auto", "f16"}, {"float16", "f16"}, {"bfloat16", "bf16"}, {"float32", "f32"}, {"fp8_e4m3", "fp8"}};
  add_choice<KvCacheDtype>(command, "--kv-cache-dtype", config.kv_cache_dtype,
                           {{"f32", KvCacheDtype::kF32},
                            {"f16", KvCacheDtype::kF16},
                            {"bf16", KvCacheDtype::kBf16},
                            {"int8", KvCacheDtype::kInt8},
                            {"fp8", KvCacheDtype::kFp8}},
                           "How keys and values are kept; int8, and on a GPU fp8 (e4m3), take half of f16; vLLM's "
                           "auto, float16 and bfloat16 are f16, f16 and bf16")
      ->transform(CLI::Transformer(kKvDtypes).description(""))
      ->group(group);
  add_choice<Quantization>(command, "--quantization", config.quantization,
                           {{"none", Quantization::kNone}, {"q8_0", Quantization::kQ8_0}, {"fp8", Quantization::kFp8}},
                           "What weights that the files have unquantised become when they are loaded; fp8: 8-bit "
                           "floats with a scale for each output, but for the embedding and the LM head")
      ->group(group);
  command
      .add_option(
          "--n-gpu-layers,--gpu-layers", config.n_gpu_layers,
          "Layers on the GPU, the last ones; the CPU computes the others; 0: the CPU computes all; -1: the GPU has "
          "all")
      ->transform(whole_number(-1, 1 << 20))
      ->group(group);
  const auto size_or_auto = [size = byte_size(/*bare=*/1, /*least_bare=*/1 << 20)](std::string& text) {
    if (text != "auto") return size(text);
    text = std::to_string(kOffloadAuto);
    return std::string();
  };
  command
      .add_option("--weight-offload", config.weight_offload,
                  "Weights of layers that stay in the host's memory, such as 8GiB, and come to the GPU in every step; "
                  "auto: those that it has no room for; 0: none, and a model that does not fit is refused")
      ->transform(CLI::Validator(size_or_auto, "SIZE"))
      ->default_str("auto")
      ->group(group);
  add_choice<LoadFormat>(command, "--load-format", config.load_format,
                         {{"auto", LoadFormat::kAuto}, {"dummy", LoadFormat::kDummy}},
                         "Where weights come from: the model's files, or dummy: random ones, for timing, of a folder "
                         "with config.json and a tokenizer alone")
      ->group(group);
  std::vector<std::string> dtypes;
  std::map<std::string, std::string> spelled;
  for (int i = 0; i < kDTypeCount; ++i) {
    const std::string name(dtype_info(static_cast<DType>(i)).name);
    dtypes.push_back(CLI::detail::to_lower(name));
    spelled[dtypes.back()] = name;
  }
  command
      .add_option(
          "--dummy-dtype", config.dummy_dtype,
          "Type of dummy matrices. Default: config.json's, and fp8 or mxfp4 where its quantization_config says so")
      ->transform(CLI::Transformer(spelled).description(""))
      ->transform(one_of(dtypes))
      ->group(group);
  command.add_option("--max-num-seqs", config.max_num_seqs, "Sequences in one step. Default: 64, on a GPU 256")
      ->transform(whole_number(1, 1 << 20))
      ->group(group);
  command
      .add_option("--max-num-batched-tokens", config.max_num_batched_tokens,
                  "Tokens in one step, prompt chunks and generated ones together. Default: 512, on a GPU 2048")
      ->transform(whole_number(1, 1 << 20))
      ->group(group);
  command
      .add_option("--max-time-between-tokens", config.max_time_between_tokens,
                  "Seconds that running requests may wait for their next token while prompts come in; 0: no bound")
      ->check(not_negative())
      ->group(group);
  command.add_option("--block-size", config.block_size, "Tokens in a KV block")
      ->transform(one_of({"8", "16", "32", "64", "128"}))
      ->group(group);
  command
      .add_flag("--enable-prefix-caching,!--no-enable-prefix-caching", config.enable_prefix_caching,
                "Keep the blocks of finished prompts for later ones; on unless switched off")
      ->multi_option_policy(CLI::MultiOptionPolicy::Throw)
      ->group(group);
  add_choice<Preemption>(
      command, "--preemption", config.preemption,
      {{"auto", Preemption::kAuto}, {"recompute", Preemption::kRecompute}, {"swap", Preemption::kSwap}},
      "What is done with a request when blocks run out; auto: what takes less time at its length")
      ->group(group);
  command
      .add_option("--swap-space", config.swap_space,
                  "Host memory for preempted blocks, such as 512MiB; a bare number is in GiB")
      ->transform(byte_size(/*bare=*/uint64_t{1} << 30))  // as vLLM's flag of that name
      ->group(group);
  add_choice<SchedulingPolicy>(command, "--scheduling-policy", config.policy,
                               {{"fcfs", SchedulingPolicy::kFcfs}, {"priority", SchedulingPolicy::kPriority}},
                               "Who runs first: who came first, or who has the lower priority")
      ->group(group);
  command
      .add_option("--priority-ageing", config.priority_ageing,
                  "Seconds of waiting that outweigh one step of priority, under the priority policy; 0: none do")
      ->check(not_negative())
      ->group(group);
}

void GenerationFlags::add_to(CLI::App& command) {
  using D = GenerationDefaults;
  const std::string group = "What requests leave open";
  for (const RequestField& field : request_fields()) {
    if (!field.surfaces.has(Surface::kChat)) continue;
    const std::string name = field.name == "max_tokens" ? "--max-tokens-default" : field.flag_names();
    const auto add = [&](auto& value, CLI::Validator range) {
      command.add_option(name, value, std::string(field.help))
          ->transform(std::move(range))
          ->default_str(default_text(field, Surface::kChat))
          ->group(group);
    };
    const Overloaded by_type = {[](std::monostate) {},
                                [&](std::optional<int> D::*member) {
                                  add(flags_.*member, whole_number(static_cast<int64_t>(field.range.low),
                                                                   static_cast<int64_t>(field.range.high)));
                                },
                                [&](std::optional<float> D::*member) { add(flags_.*member, number_in(field.range)); }};
    std::visit(by_type, field.model);
  }
  const char* const object = "--override-generation-config";
  const auto set = [this, object](const std::string& text) {
    constexpr std::string_view kExample = R"(give a JSON object such as {"temperature": 0.2, "top_p": 0.9})";
    try {
      const Json json = parse_json(text);
      if (!json.is_object()) throw fail<UsageError>("{} {}: {}", object, text, kExample);
      object_ = parse_generation_defaults(json);
    } catch (const FieldError& error) {
      throw fail<UsageError>("{}: {}", object, error.what());
    } catch (const FormatError& error) {
      throw fail<UsageError>("{} {}: {} {}", object, text, error.what(), kExample);
    }
  };
  command.add_option_function<std::string>(object, set, "The same as JSON, by the names of a generation_config.json")
      ->type_name("JSON")
      ->group(group);
}

GenerationDefaults GenerationFlags::defaults() const { return first_said(flags_, object_); }

void SamplingFlags::add_to(CLI::App& command, Surface surface) {
  using P = SamplingParams;
  const std::string group = "Sampling";
  CLI::Option_group& forms = *command.add_option_group("What the answer must look like");
  forms.require_option(0, 1);
  for (const RequestField& field : request_fields()) {
    if (!field.surfaces.has(surface)) continue;
    if (field.form != GrammarSpec::Kind::kNone) {
      add_form(forms, field);
      continue;
    }
    const std::string names = field.flag_names();
    const std::string help(field.help);
    // One value to a flag, which may be repeated: a list would swallow the MODEL that follows it.
    const auto option = [&](auto& value, const std::string& more = "") {
      return command.add_option(names, value, help + more)->allow_extra_args(false)->group(group);
    };
    const auto number = [&](auto member, CLI::Validator range) {
      CLI::Option* const added = option(params_.*member)->transform(std::move(range));
      if (std::string text = default_text(field, surface); !text.empty()) added->default_str(std::move(text));
    };
    const Overloaded add = {
        [](std::monostate) {},
        [&](bool P::*member) { command.add_flag(names, params_.*member, help)->group(group); },
        [&](std::optional<int> P::*member) {
          number(member, whole_number(static_cast<int64_t>(field.range.low), static_cast<int64_t>(field.range.high)));
        },
        [&](std::optional<float> P::*member) { number(member, number_in(field.range)); },
        [&](std::optional<uint64_t> P::*member) {
          number(member, seed_number("; without the flag each answer is another one"));
        },
        [&](std::vector<std::string> P::*member) { option(params_.*member, "; may be repeated"); },
        [&](std::vector<int32_t> P::*member) { option(params_.*member)->delimiter(','); },
        [&](std::vector<std::pair<int32_t, float>> P::*) {
          option(logit_bias_, "; may be repeated")->type_name("TOKEN_ID:BIAS");
        },
    };
    std::visit(add, field.member);
  }
}

void SamplingFlags::add_form(CLI::App& forms, const RequestField& field) {
  using Kind = GrammarSpec::Kind;
  const std::string names = field.flag_names();
  const std::string help(field.help);
  const Kind kind = field.form;
  if (kind == Kind::kJsonObject) {
    forms.add_flag_callback(names, [this] { form_.kind = Kind::kJsonObject; }, help);
  } else if (kind == Kind::kChoice) {
    const auto set = [this](const std::vector<std::string>& texts) {
      form_ = {.kind = Kind::kChoice, .choices = texts};
    };
    forms.add_option_function<std::vector<std::string>>(names, set, help)->allow_extra_args(false);
  } else {
    const auto set = [this, kind](const std::string& text) { form_ = {.kind = kind, .text = text}; };
    forms.add_option_function<std::string>(names, set, help);
  }
}

GrammarSpec SamplingFlags::grammar() const {
  using Kind = GrammarSpec::Kind;
  GrammarSpec form = form_;
  const size_t begin = form.text.find_first_not_of(" \t\r\n");
  const bool is_schema = begin != std::string::npos && form.text[begin] == '{';
  const bool is_rules = form.text.find("::=") != std::string::npos;
  const bool is_file = (form.kind == Kind::kGbnf && !is_rules) || (form.kind == Kind::kJsonSchema && !is_schema);
  if (is_file) form.text = read_file(form.text);
  return form;
}

SamplingParams SamplingFlags::params() const {
  SamplingParams params = params_;
  params.grammar = grammar();
  for (const std::string& bias : logit_bias_) params.logit_bias.push_back(parse_bias(bias));
  params.use_beam_search = params.beam_width.value_or(0) > 0;  // --beams
  return params;
}

}  // namespace caravel::cli
