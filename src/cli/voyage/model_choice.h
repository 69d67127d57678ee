#pragma once

#include <string>
#include <string_view>

#include "fields/json.h"

namespace caravel::cli {

/// Which model, and where it is.
struct ModelChoice {
  std::string llm;    // an endpoint's address; empty: an engine in this process
  std::string model;  // its name there, or what MODEL says; empty: the first of the endpoint, or smollm2

  bool operator==(const ModelChoice&) const = default;
};

/// "http://localhost:8000/v1#NAME", with or without a name. Throws UsageError that names the flag.
ModelChoice parse_llm(std::string_view flag, const std::string& text);

/// As a run's record keeps them: never a key.
Json to_json(const ModelChoice& choice);
/// Throws FormatError.
ModelChoice model_choice_from(const Json& json);

}  // namespace caravel::cli
