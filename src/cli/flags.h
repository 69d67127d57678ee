#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "caravel/config.h"
#include "caravel/request.h"
#include "text/tokenizer_data.h"

namespace caravel::cli {

/// MODEL and the engine's flags, in their own groups of --help; `config` must outlive the parse.
void add_engine_flags(CLI::App& command, EngineConfig& config);

/// Checks of a number that say what is wanted; CLI11's own print a range that ends at 1.8e308 with all its digits.
CLI::Validator positive();
CLI::Validator not_negative();

/// The sampling flags of generate and chat. What was not given comes from the model's generation defaults.
class SamplingFlags {
 public:
  void add_to(CLI::App& command);

  /// The grammar's flags, at most one of them. Throws NotFound and IoError for a file that cannot be read.
  GrammarSpec grammar() const;

  /// chat: temperature is 0.7, and not 0, where neither the caller nor the model says one.
  SamplingParams resolve(const GenerationDefaults& defaults, bool chat) const;

 private:
  SamplingParams params_;
  std::optional<float> temperature_;
  std::optional<int> top_k_;
  std::optional<float> top_p_;
  std::optional<float> min_p_;
  std::optional<float> repetition_penalty_;
  std::vector<std::string> logit_bias_;
  int beams_ = 0;
  std::string json_schema_;
  std::optional<std::string> regex_;
  std::vector<std::string> choices_;
  std::string grammar_file_;
  bool json_object_ = false;
};

}  // namespace caravel::cli
