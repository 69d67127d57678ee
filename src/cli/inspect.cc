#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "caravel/engine.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/output_file.h"
#include "fields/json.h"

namespace caravel::cli {
namespace {

std::string mebibytes(int64_t bytes) { return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20)); }

/// Of the KV cache.
std::string per_token(const ModelInfo& info) {
  return fmt::format("{:.1f} KiB", static_cast<double>(info.kv_bytes_per_token) / 1024);
}

nlohmann::ordered_json plan_json(const MemoryPlan& plan) {
  nlohmann::ordered_json json = {{"available", plan.available}, {"bound_by", plan.bound_by}};
  for (const auto& [name, bytes] : plan.parts()) json[name] = bytes;
  json["host"] = nullptr;
  if (plan.apart()) {
    json["host"] = {{"available", plan.host_available}, {"bound_by", plan.host_bound_by}, {"left", plan.host_left()}};
  }
  json["fits"] = plan.fits();
  json["needed"] = plan.needed();
  json["full_model_len"] = plan.full_model_len;
  json["max_model_len"] = plan.max_model_len;
  return json;
}

/// What each part of the plan is for.
std::string plan_text(const ModelInfo& info) {
  const MemoryPlan& plan = info.memory;
  const auto line = [](const char* name, int64_t bytes, const std::string& note) {
    return fmt::format("  {:<20} {:>20}{}{}\n", name, mebibytes(bytes), note.empty() ? "" : "   ", note);
  };
  const std::string fixed =
      "\n  memory\n" + line("available", plan.available, "by " + plan.bound_by) +
      line("weights, packed", plan.weights, "") +
      line("activations", plan.activations,
           fmt::format("a step of {} tokens and {} sequences at most", info.max_num_batched_tokens, info.max_num_seqs));
  const std::string program = line("program", plan.program, "threads, connections");
  if (is_encoder(info)) {
    return fixed + program + line("requests' bodies", plan.bodies, "at most, and what is made of them") +
           line("left over", plan.left(), plan.fits() ? "" : "it does not fit");
  }
  if (!plan.fits()) {
    return fixed + (plan.apart() ? "" : program) +
           line("least KV cache", plan.kv_least, fmt::format("{} a token", per_token(info))) +
           line("missing", plan.needed() - plan.available, "") + "  it does not fit: " + info.memory_shortage + "\n";
  }
  std::string pool = fmt::format("{} blocks of {} tokens, {} a token: {} tokens fit", info.kv_blocks, info.block_size,
                                 per_token(info), info.kv_tokens);
  if (info.kv_groups > 1) {
    pool = fmt::format(
        "{} blocks, each of {} tokens in one of {} groups of layers; {} a token in all: {} tokens fit, and more where "
        "layers have windows",
        info.kv_blocks, info.block_size, info.kv_groups, per_token(info), info.kv_tokens);
  }
  const std::string streamed =
      plan.streamed == 0
          ? ""
          : line("streamed weights", plan.streamed,
                 fmt::format("{} of {} layers, to the device in every step", plan.streamed_layers, info.layers));
  const std::string of_cpu =
      plan.cpu_layers == 0 ? "" : line("layers on the CPU", plan.cpu_layers, "weights, a step, keys and values");
  const std::string of_host =
      program + streamed + of_cpu + line("requests' bodies", plan.bodies, "at most, and what is made of them") +
      line("grammars", plan.grammars, "at most") + line("log-probabilities", plan.logprobs, "at most") +
      line("swap space", plan.swap, "at most");
  std::string text = fixed + (plan.apart() ? "" : of_host) + line("KV cache", plan.kv_cache, pool) +
                     line("left over", plan.left(), "");
  if (plan.apart()) {
    text += "\n  memory of the host\n" + line("available", plan.host_available, "by " + plan.host_bound_by) + of_host +
            line("left over", plan.host_left(), "");
  }
  if (plan.lowers_context()) {
    text += fmt::format("  the context was lowered: {} tokens would take {} of KV cache\n", plan.full_model_len,
                        mebibytes(plan.kv_full));
  }
  return text;
}

nlohmann::ordered_json decisions_json(const std::vector<Decision>& decisions) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Decision& decision : decisions) {
    rows.push_back(
        {{"what", decision.what}, {"value", decision.value}, {"why", decision.why}, {"flag", decision.flag}});
  }
  return rows;
}

/// Marks of templates and texts of tokens may have line breaks.
std::string one_line(const std::string& text) {
  std::string line;
  for (const char c : text) line += c == '\n' ? std::string("\\n") : std::string(1, c);
  return line;
}

std::string decisions_text(const std::vector<Decision>& decisions) {
  std::string text = "\n  decided from the files, and why\n";
  for (const Decision& decision : decisions) {
    text += fmt::format("  {:<22} {}\n  {:<22}   {}{}{}\n", decision.what, one_line(decision.value), "",
                        one_line(decision.why), decision.flag.empty() ? "" : "; otherwise by ", decision.flag);
  }
  return text;
}

nlohmann::ordered_json experts_json(const ModelInfo& info) {
  if (info.experts == 0) return nullptr;
  return {{"count", info.experts},
          {"per_token", info.experts_per_token},
          {"intermediate_size", info.expert_intermediate_size},
          {"shared_intermediate_size", info.shared_intermediate_size}};
}

/// Empty where there are none.
std::string experts_text(const ModelInfo& info) {
  if (info.experts == 0) return "";
  const std::string shared = info.shared_intermediate_size > 0 ? fmt::format(", and beside them {} wide for all tokens",
                                                                             info.shared_intermediate_size)
                                                               : "";
  return fmt::format("  experts       {}, each {} wide, {} for each token{}\n", info.experts,
                     info.expert_intermediate_size, info.experts_per_token, shared);
}

/// Of all weights and, where that is less, of those that a token goes through.
std::string parameters_text(const ModelInfo& info) {
  const auto millions = [](int64_t count) { return fmt::format("{:.1f} million", static_cast<double>(count) / 1e6); };
  if (info.active_parameters == info.parameters) return millions(info.parameters);
  return fmt::format("{}, {} of them for each token, all of the embedding counted", millions(info.parameters),
                     millions(info.active_parameters));
}

nlohmann::ordered_json info_json(const ModelInfo& info) {
  nlohmann::ordered_json types = nlohmann::ordered_json::array();
  for (const auto& type : info.weights_by_type) {
    types.push_back(
        {{"type", type.dtype}, {"tensors", type.tensors}, {"elements", type.elements}, {"bytes", type.bytes}});
  }
  return {{"path", info.path},
          {"name", info.name},
          {"architecture", info.architecture},
          {"device", info.device},
          {"parameters", info.parameters},
          {"active_parameters", info.active_parameters},
          {"layers", info.layers},
          {"hidden_size", info.hidden_size},
          {"intermediate_size", info.intermediate_size},
          {"experts", experts_json(info)},
          {"heads", info.heads},
          {"kv_heads", info.kv_heads},
          {"head_dim", info.head_dim},
          {"vocab_size", info.vocab_size},
          {"model_max_position", info.model_max_position},
          {"max_model_len", info.max_model_len},
          {"max_num_seqs", info.max_num_seqs},
          {"max_num_batched_tokens", info.max_num_batched_tokens},
          {"pooling", is_encoder(info) ? nlohmann::ordered_json(info.pooling) : nullptr},
          {"weights", types},
          {"memory",
           {{"weight_bytes", info.weight_bytes},
            {"token_weight_bytes", info.token_weight_bytes},
            {"kv_pool_bytes", info.kv_pool_bytes},
            {"activation_bytes", info.activation_bytes},
            {"plan", plan_json(info.memory)},
            {"shortage", info.memory_shortage}}},
          {"kv_cache",
           {{"bytes_per_token", info.kv_bytes_per_token},
            {"block_size", info.block_size},
            {"groups", info.kv_groups},
            {"blocks", info.kv_blocks},
            {"tokens", info.kv_tokens}}},
          {"decisions", decisions_json(info.decisions)}};
}

std::string info_text(const ModelInfo& info) {
  std::string text = fmt::format(
      "{}\n"
      "  file          {}\n"
      "  architecture  {}: {} layers, hidden {}, ffn {}, {} heads of {} ({} for K and V), vocabulary {}\n"
      "{}"
      "  parameters    {}\n"
      "  read a token  {} of weights; of an embedding that is no LM head, a row\n"
      "  context       {} tokens; this engine takes {}\n"
      "  device        {}\n\n"
      "  weights by type        tensors        elements          in the file\n",
      info.name, info.path, info.architecture, info.layers, info.hidden_size, info.intermediate_size, info.heads,
      info.head_dim, info.kv_heads, info.vocab_size, experts_text(info), parameters_text(info),
      mebibytes(info.token_weight_bytes), info.model_max_position, info.max_model_len, info.device);
  for (const auto& type : info.weights_by_type) {
    text +=
        fmt::format("  {:<20} {:>9} {:>15} {:>20}\n", type.dtype, type.tensors, type.elements, mebibytes(type.bytes));
  }
  return text + plan_text(info) + decisions_text(info.decisions);
}

}  // namespace

void add_inspect(CLI::App& program) {
  struct Options {
    EngineConfig engine;
    ChatFlags chat;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command = *program.add_subcommand(
      "inspect", "What a model is, what was decided from its files, where its memory goes: no weights are read");
  command.add_flag("--json", options->json, "One JSON object");
  options->chat.add_to(command, options->engine);
  add_engine_flags(command, options->engine);
  command.callback([options] {
    const ModelInfo info = describe_model(options->chat.load(options->engine));
    OutputFile("-").write(options->json ? to_text(info_json(info)) + "\n" : info_text(info));
  });
}

}  // namespace caravel::cli
