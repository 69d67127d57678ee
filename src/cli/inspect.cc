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
          {"layers", info.layers},
          {"hidden_size", info.hidden_size},
          {"intermediate_size", info.intermediate_size},
          {"heads", info.heads},
          {"kv_heads", info.kv_heads},
          {"head_dim", info.head_dim},
          {"vocab_size", info.vocab_size},
          {"model_max_position", info.model_max_position},
          {"max_model_len", info.max_model_len},
          {"weights", types},
          {"memory",
           {{"weight_bytes", info.weight_bytes},
            {"kv_pool_bytes", info.kv_pool_bytes},
            {"activation_bytes", info.activation_bytes}}},
          {"kv_cache",
           {{"bytes_per_token", info.kv_bytes_per_token},
            {"block_size", info.block_size},
            {"blocks", info.kv_blocks},
            {"tokens", info.kv_tokens}}}};
}

std::string info_text(const ModelInfo& info) {
  std::string text = fmt::format(
      "{}\n"
      "  file          {}\n"
      "  architecture  {}: {} layers, hidden {}, ffn {}, {} heads of {} ({} for K and V), vocabulary {}\n"
      "  parameters    {:.1f} million\n"
      "  context       {} tokens; this engine takes {}\n"
      "  device        {}\n\n"
      "  weights by type        tensors        elements          in the file\n",
      info.name, info.path, info.architecture, info.layers, info.hidden_size, info.intermediate_size, info.heads,
      info.head_dim, info.kv_heads, info.vocab_size, static_cast<double>(info.parameters) / 1e6,
      info.model_max_position, info.max_model_len, info.device);
  for (const auto& type : info.weights_by_type) {
    text +=
        fmt::format("  {:<20} {:>9} {:>15} {:>20}\n", type.dtype, type.tensors, type.elements, mebibytes(type.bytes));
  }
  text += fmt::format(
      "\n  memory\n"
      "  weights, packed      {:>20}\n"
      "  KV cache             {:>20}   {} blocks of {} tokens, {:.1f} KiB a token: {} tokens fit\n"
      "  activations          {:>20}\n"
      "  together             {:>20}\n",
      mebibytes(info.weight_bytes), mebibytes(info.kv_pool_bytes), info.kv_blocks, info.block_size,
      static_cast<double>(info.kv_bytes_per_token) / 1024, info.kv_tokens, mebibytes(info.activation_bytes),
      mebibytes(info.weight_bytes + info.kv_pool_bytes + info.activation_bytes));
  return text;
}

}  // namespace

void add_inspect(CLI::App& program) {
  struct Options {
    EngineConfig engine;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App& command = *program.add_subcommand("inspect", "What a model is, and where its memory goes");
  command.add_flag("--json", options->json, "One JSON object");
  add_engine_flags(command, options->engine);
  command.callback([options] {
    const auto engine = Engine::open(options->engine);
    OutputFile("-").write(options->json ? to_text(info_json(engine->model())) + "\n" : info_text(engine->model()));
  });
}

}  // namespace caravel::cli
