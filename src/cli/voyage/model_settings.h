#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "caravel/config.h"
#include "cli/voyage/model_choice.h"
#include "voyager/model.h"

namespace caravel::cli {

/// What makes vectors of texts.
struct EmbedderChoice {
  enum class Kind : uint8_t {
    kEncoder,   // a model of its own in this process: model.model
    kEngine,    // the mean-pooled states of the engine that chats
    kEndpoint,  // model.llm's embeddings
  };
  Kind kind = Kind::kEngine;
  ModelChoice model;
  bool is_tried = false;  // an endpoint that nobody named for it: another is taken where it embeds nothing
};

/// The cache of fetched models has it.
bool is_fetched(const std::string& model);

/// The models of a run: what its record keeps of them, so that it can go on by it.
struct ModelSettings {
  ModelChoice curriculum, action, critic;
  EmbedderChoice embedder;
  float temperature = 0;  // as the paper has it
  uint64_t seed = 1;      // of what is drawn
  std::optional<int> max_tokens;
  int64_t context = 0;  // of an endpoint's model: tokens of prompt and answer; 0: not known
  Json extra_body = Json::object();
  voyager::Prices prices;

  /// A model of this process is asked for.
  bool needs_engine() const;
  /// Some role is answered by the model that is there where none is named.
  bool uses_default_model() const;
};

Json to_json(const ModelSettings& settings);
/// Throws FormatError.
ModelSettings model_settings_from(const Json& json);

/// The same as flags, with what is needed to reach endpoints, which no record keeps.
class ModelFlags {
 public:
  /// MODEL and the engine's flags too.
  void add_to(CLI::App& command);

  /// Some model was chosen: of a run that goes on, others than its record names.
  bool names_models() const;
  /// What was given; the embedder of "auto" is found. Throws UsageError.
  ModelSettings settings(uint64_t seed) const;
  /// --llm-api-key, --llm-api-key-file, or OPENAI_API_KEY; empty: none. Throws NotFound, IoError, UsageError.
  std::string api_key() const;

  EngineConfig engine;
  double timeout = 600;  // seconds of one attempt
  double silence = 180;  // and without a byte
  int retries = 5;

 private:
  EmbedderChoice embedder_for(const ModelSettings& settings) const;

  std::string llm_, llm_model_, curriculum_, action_, critic_;
  std::string api_key_, api_key_file_;
  std::string embedder_ = "auto";
  float temperature_ = 0;
  std::optional<int> max_tokens_;
  int64_t context_ = 0;
  std::string extra_body_;
  std::string price_;
};

}  // namespace caravel::cli
