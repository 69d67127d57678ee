#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "memory_source.h"
#include "model/config.h"

// Configurations as either convention writes them, for tests of what is read of them.

namespace caravel::model {

inline ModelConfig read_as(format::Convention convention, const nlohmann::json& config) {
  return read_config(MemorySource(convention, config));
}

inline ModelConfig folder_config(nlohmann::json changes) {
  nlohmann::json config = tiny_llama_config();
  config.merge_patch(changes);  // a null takes a key away
  return read_as(format::Convention::kHuggingFace, config);
}

/// Such a configuration is refused, and the one line of the message has all of `parts`.
template <typename E>
void expect_config_refused(format::Convention convention, const nlohmann::json& config,
                           const std::vector<std::string>& parts) {
  try {
    read_as(convention, config);
    ADD_FAILURE() << "accepted " << config;
  } catch (const E& error) {
    for (const std::string& part : parts) EXPECT_THAT(error.what(), ::testing::HasSubstr(part));
    EXPECT_THAT(error.what(), ::testing::Not(::testing::HasSubstr("\n")));
  }
}
template <typename E>
void expect_folder_refused(const nlohmann::json& changes, const std::vector<std::string>& parts) {
  nlohmann::json config = tiny_llama_config();
  config.update(changes);
  expect_config_refused<E>(format::Convention::kHuggingFace, config, parts);
}

inline nlohmann::json gguf_gemma() {
  return {{"general.architecture", "gemma3"},
          {"general.name", "Gemma"},
          {"gemma3.context_length", 32768},
          {"gemma3.embedding_length", 640},
          {"gemma3.block_count", 18},
          {"gemma3.feed_forward_length", 2048},
          {"gemma3.attention.head_count", 4},
          {"gemma3.attention.head_count_kv", 1},
          {"gemma3.attention.layer_norm_rms_epsilon", 1e-6},
          {"gemma3.attention.key_length", 256},
          {"gemma3.rope.freq_base", 1e6},
          {"gemma3.attention.sliding_window", 512},
          {"gemma3.vocab_size", 1000}};
}

inline constexpr const char* kGivenYarn = R"({"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":32})";

/// Angle of pair i at position 1 by `spec`, over that of an unscaled base.
inline double stretch(const RotarySpec& spec, double theta, size_t i) {
  return spec.inverse_freq[i] / std::pow(theta, -2.0 * static_cast<double>(i) / spec.dim);
}

}  // namespace caravel::model
