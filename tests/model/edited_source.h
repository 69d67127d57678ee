#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "fixtures.h"
#include "format/weight_source.h"

namespace caravel::model {

/// A model of tests/fixtures/models with something changed.
class EditedSource final : public format::WeightSource {
 public:
  explicit EditedSource(const std::string& file)
      : files_(format::open_weights(tests::fixtures() + "/models/" + file)),
        config_(files_->config()),
        weights_(files_->weights().begin(), files_->weights().end()) {}

  const std::string& path() const override { return files_->path(); }
  format::Convention convention() const override { return files_->convention(); }
  const nlohmann::json& config() const override { return config_; }
  const format::WeightInfo* find(std::string_view name) const override {
    for (const format::WeightInfo& weight : weights_) {
      if (weight.name == name) return &weight;
    }
    return nullptr;
  }
  std::span<const format::WeightInfo> weights() const override { return weights_; }
  const TokenizerData& tokenizer() const override { return files_->tokenizer(); }
  const GenerationDefaults& generation_defaults() const override { return files_->generation_defaults(); }
  const format::SentenceModules& sentence_modules() const override { return files_->sentence_modules(); }
  MappedBytes map(const format::WeightInfo& weight, uint64_t offset, uint64_t bytes) const override {
    MappedBytes mapped = files_->map(weight, offset, bytes);
    if (weight.name != changed_) return mapped;
    storage_.emplace_back(mapped.bytes().begin(), mapped.bytes().end());
    for (size_t i = 0; i < bytes; ++i) storage_.back()[i] ^= change_of(weight, offset + i);
    return MappedBytes(std::span<const std::byte>(storage_.back()));
  }

  nlohmann::json& config() { return config_; }
  /// The same data under another name as well.
  void copy(const std::string& name, const std::string& as) {
    weights_.push_back(*find(name));
    weights_.back().name = as;
  }
  void remove(const std::string& name) {
    std::erase_if(weights_, [&](const format::WeightInfo& weight) { return weight.name == name; });
  }
  /// Every value of that weight, or of scales that lie apart, becomes another one of about its size.
  void change(std::string name) { changed_ = std::move(name); }

 private:
  std::byte change_of(const format::WeightInfo& weight, uint64_t at) const {
    if (weight.name.ends_with("_scales")) return std::byte{1};
    if (weight.dtype == DType::kMXFP4) {
      return std::byte{weight.scale == nullptr && at % 17 == 0 ? uint8_t{0} : uint8_t{0x11}};
    }
    // The first bit of the mantissa.
    const auto element = static_cast<uint64_t>(dtype_info(weight.dtype).block_bytes);
    return std::byte{at % element == element - 2 ? uint8_t{0x40} : uint8_t{0}};
  }

  std::unique_ptr<format::WeightSource> files_;
  nlohmann::json config_;
  std::vector<format::WeightInfo> weights_;
  std::string changed_;
  mutable std::vector<std::vector<std::byte>> storage_;
};

}  // namespace caravel::model
