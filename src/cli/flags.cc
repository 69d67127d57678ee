#include "cli/flags.h"

#include <charconv>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "caravel/request.h"

namespace caravel::cli {
namespace {

/// "TOKEN:BIAS", as in --logit-bias 42:-100.
std::pair<int32_t, float> parse_bias(const std::string& text) {
  const size_t colon = text.find(':');
  int32_t token = 0;
  float bias = 0;
  const char* end = text.data() + text.size();
  if (colon == std::string::npos ||
      std::from_chars(text.data(), text.data() + colon, token).ptr != text.data() + colon ||
      std::from_chars(text.data() + colon + 1, end, bias).ptr != end) {
    throw fail<InvalidArgument>("--logit-bias '{}': give TOKEN_ID:BIAS, for example 42:-100", text);
  }
  return {token, bias};
}

/// A number without a unit is in GiB, which is what vLLM's flag of that name takes.
CLI::Validator gibibytes_where_bare() {
  return {[](std::string& text) {
            if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos) text += "GiB";
            return std::string();
          },
          ""};
}

CLI::Validator number_where(bool (*holds)(double), const char* wanted, const char* name) {
  return {[holds, wanted](std::string& text) {
            double value = 0;
            if (CLI::detail::lexical_cast(text, value) && holds(value)) return std::string();
            return fmt::format("{}: give {}", text, wanted);
          },
          name};
}

}  // namespace

CLI::Validator positive() {
  return number_where([](double value) { return value > 0; }, "a number above 0", "POSITIVE");
}

CLI::Validator not_negative() {
  return number_where([](double value) { return value >= 0; }, "0 or a number above it", "NONNEGATIVE");
}

void add_engine_flags(CLI::App& command, EngineConfig& config) {
  static const std::map<std::string, Preemption> kPreemptions = {
      {"auto", Preemption::kAuto}, {"recompute", Preemption::kRecompute}, {"swap", Preemption::kSwap}};
  static const std::map<std::string, SchedulingPolicy> kPolicies = {{"fcfs", SchedulingPolicy::kFcfs},
                                                                    {"priority", SchedulingPolicy::kPriority}};
  command.add_option("MODEL", config.model,
                     "A .gguf file, a Hugging Face folder, or a name in the cache; the default is smollm2");
  const std::string group = "Engine";
  command.add_option("--threads", config.threads, "Processors to use; 0: all that this process may")->group(group);
  command.add_option("--isa", config.isa, "Instruction set: auto, portable, avx2, avx512vnni, avx512amx")
      ->capture_default_str()
      ->group(group);
  command.add_option("--max-model-len", config.max_model_len, "Longest sequence, prompt and answer; 0: the model's")
      ->group(group);
  command.add_option("--kv-cache-memory", config.kv_cache_memory, "Memory of the KV cache, such as 512MiB; 0: chosen")
      ->transform(CLI::AsSizeValue(false))
      ->group(group);
  static const std::map<std::string, std::string> kKvDtypes = {
      {"auto", "f16"}, {"float16", "f16"}, {"bfloat16", "bf16"}, {"float32", "f32"}};
  command
      .add_option("--kv-cache-dtype", config.kv_cache_dtype,
                  "f32, f16, bf16, or int8: half of f16; vLLM's auto, float16 and bfloat16 are f16, f16 and bf16")
      ->check(CLI::IsMember({"f32", "f16", "bf16", "int8"}))
      ->transform(CLI::Transformer(kKvDtypes).description(""))
      ->capture_default_str()
      ->group(group);
  command.add_option("--max-num-seqs", config.max_num_seqs, "Sequences in one step")
      ->check(positive())
      ->capture_default_str()
      ->group(group);
  command
      .add_option("--max-num-batched-tokens", config.max_num_batched_tokens,
                  "Tokens in one step, prompt chunks and generated ones together")
      ->check(positive())
      ->capture_default_str()
      ->group(group);
  command
      .add_option("--max-time-between-tokens", config.max_time_between_tokens,
                  "Seconds that running requests may wait for their next token while prompts come in; 0: no bound")
      ->group(group);
  command.add_option("--block-size", config.block_size, "Tokens in a KV block: 8, 16, 32, 64 or 128")
      ->check(CLI::IsMember({8, 16, 32, 64, 128}))
      ->capture_default_str()
      ->group(group);
  command
      .add_flag("--enable-prefix-caching,!--no-enable-prefix-caching", config.enable_prefix_caching,
                "Keep the blocks of finished prompts for later ones; on unless switched off")
      ->group(group);
  command.add_option("--preemption", config.preemption, "When blocks run out: auto, recompute or swap")
      ->transform(CLI::CheckedTransformer(kPreemptions, CLI::ignore_case).description("{auto,recompute,swap}"))
      ->group(group);
  command
      .add_option("--swap-space", config.swap_space,
                  "Host memory for preempted blocks, such as 512MiB; a bare number is in GiB")
      ->transform(CLI::AsSizeValue(false))
      ->transform(gibibytes_where_bare())
      ->group(group);
  command.add_option("--scheduling-policy", config.policy, "fcfs or priority")
      ->transform(CLI::CheckedTransformer(kPolicies, CLI::ignore_case).description("{fcfs,priority}"))
      ->group(group);
}

void SamplingFlags::add_to(CLI::App& command) {
  const std::string group = "Sampling";
  // One value to a flag, which may be repeated: a list would swallow the MODEL that follows it.
  const auto option = [&](const char* name, auto& value, const char* help) {
    return command.add_option(name, value, help)->allow_extra_args(false)->group(group);
  };
  option("--max-tokens", params_.max_tokens, "Longest answer")->capture_default_str();
  option("--min-tokens", params_.min_tokens, "Shortest answer");
  option("--temperature", temperature_, "0: greedy. Default: the model's, else 0 (0.7 in a chat)");
  option("--top-k", top_k_, "Draw among the K most likely tokens");
  option("--top-p", top_p_, "Draw among the most likely tokens that hold P of the probability");
  option("--min-p", min_p_, "Drop tokens less likely than P times the most likely");
  option("--typical-p", params_.typical_p, "Locally typical sampling");
  option("--repetition-penalty", repetition_penalty_, "Divide the logits of tokens seen before");
  option("--presence-penalty", params_.presence_penalty, "Subtract from the logits of tokens generated before");
  option("--frequency-penalty", params_.frequency_penalty, "... times how often");
  option("--logit-bias", logit_bias_, "TOKEN_ID:BIAS, may be repeated");
  option("--allowed-token-ids", params_.allowed_token_ids, "Draw among these alone")->delimiter(',');
  option("--bad-words", params_.bad_words, "Text that is never generated, may be repeated");
  option("-s,--seed", params_.seed, "Makes a drawn answer repeatable");
  option("-n", params_.n, "Answers to the prompt");
  option("--beams", beams_, "Beam search of this width");
  option("--length-penalty", params_.length_penalty, "Beams: score / length^P")->capture_default_str();
  command.add_flag("--early-stopping", params_.early_stopping, "Beams: stop as soon as enough have ended")
      ->group(group);
  option("--stop", params_.stop, "Text that ends the answer, may be repeated");
  option("--stop-token-ids", params_.stop_token_ids, "Ids that end the answer")->delimiter(',');
  command.add_flag("--ignore-eos", params_.ignore_eos, "Go on past the end of generation")->group(group);
  command.add_flag("!--keep-special-tokens", params_.skip_special_tokens, "Show special tokens in the text")
      ->group(group);
  option("--logprobs", params_.logprobs, "Log-probability of each token, and of the K most likely");
  option("--prompt-logprobs", params_.prompt_logprobs, "... of the prompt's tokens");

  const std::string form = "What the answer must look like";
  CLI::Option_group& forms = *command.add_option_group(form);
  forms.require_option(0, 1);
  const auto constraint = [&](const char* name, auto& value, const char* help) {
    forms.add_option(name, value, help)->allow_extra_args(false);
  };
  constraint("--json-schema", json_schema_, "JSON that fits this schema: a file, or the schema itself");
  forms.add_flag("--json-object", json_object_, "Any JSON object");
  constraint("--regex", regex_, "A text that this regular expression matches as a whole");
  constraint("--choice", choices_, "This text, or another one where the flag is repeated");
  constraint("--grammar", grammar_file_, "What the rule `root` of this file in llama.cpp's GBNF matches");
}

GrammarSpec SamplingFlags::grammar() const {
  using Kind = GrammarSpec::Kind;
  if (json_object_) return {.kind = Kind::kJsonObject};
  if (regex_) return {.kind = Kind::kRegex, .text = *regex_};
  if (!choices_.empty()) return {.kind = Kind::kChoice, .choices = choices_};
  if (!grammar_file_.empty()) return {.kind = Kind::kGbnf, .text = read_file(grammar_file_)};
  if (json_schema_.empty()) return {};
  const size_t begin = json_schema_.find_first_not_of(" \t\r\n");
  const bool is_text = begin != std::string::npos && json_schema_[begin] == '{';
  return {.kind = Kind::kJsonSchema, .text = is_text ? json_schema_ : read_file(json_schema_)};
}

SamplingParams SamplingFlags::resolve(const GenerationDefaults& defaults, bool chat) const {
  SamplingParams params = params_;
  params.grammar = grammar();
  params.temperature = temperature_.value_or(defaults.temperature.value_or(chat ? 0.7F : 0.0F));
  params.top_k = top_k_.value_or(defaults.top_k.value_or(params.top_k));
  params.top_p = top_p_.value_or(defaults.top_p.value_or(params.top_p));
  params.min_p = min_p_.value_or(defaults.min_p.value_or(params.min_p));
  params.repetition_penalty =
      repetition_penalty_.value_or(defaults.repetition_penalty.value_or(params.repetition_penalty));
  for (const std::string& bias : logit_bias_) params.logit_bias.push_back(parse_bias(bias));
  if (beams_ > 0) {
    params.use_beam_search = true;
    params.beam_width = beams_;
    // Beams go by the model's own log-probabilities; a penalty that only the model's files suggest is left out.
    params.repetition_penalty = repetition_penalty_.value_or(1.0F);
  }
  return params;
}

}  // namespace caravel::cli
