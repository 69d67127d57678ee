#pragma once

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "caravel/request.h"
#include "format/weight_source.h"
#include "text/tokenizer_data.h"

namespace caravel::model {

/// A model made up in memory.
class MemorySource final : public format::WeightSource {
 public:
  MemorySource(format::Convention convention, nlohmann::json config)
      : convention_(convention), config_(std::move(config)) {}

  const std::string& path() const override { return path_; }
  format::Convention convention() const override { return convention_; }
  const nlohmann::json& config() const override { return config_; }
  const format::WeightInfo* find(std::string_view name) const override {
    for (const format::WeightInfo& weight : weights_) {
      if (weight.name == name) return &weight;
    }
    return nullptr;
  }
  std::span<const format::WeightInfo> weights() const override { return weights_; }
  const TokenizerData& tokenizer() const override { return tokenizer_; }
  const GenerationDefaults& generation_defaults() const override { return defaults_; }
  const format::SentenceModules& sentence_modules() const override { return modules_; }
  using WeightSource::map;
  MappedBytes map(const format::WeightInfo& weight, uint64_t offset, uint64_t bytes) const override {
    ++mapped_[weight.name];
    mapped_bytes_ += bytes;
    return MappedBytes(std::span(storage_.at(weight.name)).subspan(offset, bytes));
  }

  nlohmann::json& config() { return config_; }
  format::SentenceModules& modules() { return modules_; }
  /// How often each was.
  const std::map<std::string, int>& mapped() const { return mapped_; }
  /// Of all of them.
  uint64_t mapped_bytes() const { return mapped_bytes_; }

  void add(const std::string& name, std::vector<int64_t> shape, DType dtype, std::vector<std::byte> data) {
    remove(name);
    weights_.push_back({.name = name, .dtype = dtype, .shape = std::move(shape), .file = path_, .bytes = data.size()});
    storage_[name] = std::move(data);
  }
  void add(const std::string& name, std::vector<int64_t> shape, const std::vector<float>& values) {
    std::vector<std::byte> bytes(values.size() * sizeof(float));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    add(name, std::move(shape), DType::kF32, std::move(bytes));
  }
  /// A weight of 8-bit floats that is there, with scales of that shape: as a folder's source gives them.
  void add_scale(const std::string& of, DType dtype, std::vector<int64_t> shape, const std::vector<float>& values) {
    add(of + "_scale", std::move(shape), values);
    const auto scale = std::make_shared<const format::WeightInfo>(*find(of + "_scale"));
    remove(of + "_scale");
    for (format::WeightInfo& weight : weights_) {
      if (weight.name == of) weight.scale = scale, weight.dtype = dtype;
    }
  }
  void add_random(const std::string& name, std::vector<int64_t> shape, float mean = 0.0F, float deviation = 0.2F) {
    size_t count = 1;
    for (const int64_t extent : shape) count *= static_cast<size_t>(extent);
    std::normal_distribution<float> normal(mean, deviation);
    std::vector<float> values(count);
    for (float& value : values) value = normal(random_);
    add(name, std::move(shape), values);
  }
  void remove(const std::string& name) {
    std::erase_if(weights_, [&](const format::WeightInfo& weight) { return weight.name == name; });
  }

 private:
  std::string path_ = "memory";
  format::Convention convention_;
  nlohmann::json config_;
  std::vector<format::WeightInfo> weights_;
  std::map<std::string, std::vector<std::byte>> storage_;
  mutable std::map<std::string, int> mapped_;
  mutable uint64_t mapped_bytes_ = 0;
  std::mt19937 random_{7};
  TokenizerData tokenizer_;
  GenerationDefaults defaults_;
  format::SentenceModules modules_;
};

/// config.json of a Llama that make_tiny_llama() has the weights of.
inline nlohmann::json tiny_llama_config() {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"hidden_size", 64},
          {"intermediate_size", 96},
          {"num_hidden_layers", 2},
          {"num_attention_heads", 4},
          {"num_key_value_heads", 2},
          {"vocab_size", 50},
          {"max_position_embeddings", 128}};
}

inline MemorySource make_tiny_llama() {
  MemorySource source(format::Convention::kHuggingFace, tiny_llama_config());
  source.add_random("model.embed_tokens.weight", {50, 64});
  source.add_random("model.norm.weight", {64}, 1.0F);
  for (const std::string layer : {"model.layers.0.", "model.layers.1."}) {
    source.add_random(layer + "input_layernorm.weight", {64}, 1.0F);
    source.add_random(layer + "self_attn.q_proj.weight", {64, 64});
    source.add_random(layer + "self_attn.k_proj.weight", {32, 64});
    source.add_random(layer + "self_attn.v_proj.weight", {32, 64});
    source.add_random(layer + "self_attn.o_proj.weight", {64, 64});
    source.add_random(layer + "post_attention_layernorm.weight", {64}, 1.0F);
    source.add_random(layer + "mlp.gate_proj.weight", {96, 64});
    source.add_random(layer + "mlp.up_proj.weight", {96, 64});
    source.add_random(layer + "mlp.down_proj.weight", {64, 96});
  }
  return source;
}

}  // namespace caravel::model
