#pragma once

#include <string>
#include <utility>
#include <vector>

#include "memory_source.h"

namespace caravel::model {

inline constexpr int kTinyExperts = 5;

/// config.json of a Qwen2-MoE that make_tiny_experts() has the weights of: a layer without experts, then one with five
/// of 32 elements, of which a token goes to two, and one of 64 that every token has.
inline nlohmann::json tiny_experts_config() {
  nlohmann::json config = tiny_llama_config();
  config.update({{"architectures", {"Qwen2MoeForCausalLM"}},
                 {"num_experts", kTinyExperts},
                 {"num_experts_per_tok", 2},
                 {"moe_intermediate_size", 32},
                 {"shared_expert_intermediate_size", 64},
                 {"mlp_only_layers", {0}}});
  return config;
}

inline MemorySource make_tiny_experts() {
  MemorySource source = make_tiny_llama();
  source.config() = tiny_experts_config();
  for (const std::string layer : {"model.layers.0.", "model.layers.1."}) {
    source.add_random(layer + "self_attn.q_proj.bias", {64});
    source.add_random(layer + "self_attn.k_proj.bias", {32});
    source.add_random(layer + "self_attn.v_proj.bias", {32});
  }
  const std::string mlp = "model.layers.1.mlp.";
  for (const char* name : {"gate_proj", "up_proj", "down_proj"}) source.remove(mlp + name + ".weight");
  source.add_random(mlp + "gate.weight", {kTinyExperts, 64}, 0, 0.5F);
  for (int expert = 0; expert < kTinyExperts; ++expert) {
    const std::string of = mlp + "experts." + std::to_string(expert) + ".";
    source.add_random(of + "gate_proj.weight", {32, 64});
    source.add_random(of + "up_proj.weight", {32, 64});
    source.add_random(of + "down_proj.weight", {64, 32});
  }
  source.add_random(mlp + "shared_expert_gate.weight", {1, 64});
  source.add_random(mlp + "shared_expert.gate_proj.weight", {64, 64});
  source.add_random(mlp + "shared_expert.up_proj.weight", {64, 64});
  source.add_random(mlp + "shared_expert.down_proj.weight", {64, 64});
  return source;
}

/// The bytes of weights one after the other, taken out of the source.
inline std::vector<std::byte> take(MemorySource& source, const std::vector<std::string>& names) {
  std::vector<std::byte> all;
  for (const std::string& name : names) {
    const MappedBytes mapped = source.map(*source.find(name));
    all.insert(all.end(), mapped.bytes().begin(), mapped.bytes().end());
    source.remove(name);
  }
  return all;
}

/// The same with experts' weights together, gate and up in one.
inline MemorySource make_joined_experts() {
  MemorySource source = make_tiny_experts();
  const std::string experts = "model.layers.1.mlp.experts.";
  std::vector<std::string> gate_up, down;
  for (int expert = 0; expert < kTinyExperts; ++expert) {
    const std::string of = experts + std::to_string(expert) + ".";
    gate_up.insert(gate_up.end(), {of + "gate_proj.weight", of + "up_proj.weight"});
    down.push_back(of + "down_proj.weight");
  }
  source.add(experts + "gate_up_proj", {kTinyExperts, 64, 64}, DType::kF32, take(source, gate_up));
  source.add(experts + "down_proj", {kTinyExperts, 64, 32}, DType::kF32, take(source, down));
  return source;
}

}  // namespace caravel::model
