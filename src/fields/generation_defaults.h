#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "caravel/request.h"
#include "fields/json.h"
#include "fields/request_field.h"

namespace caravel {

/// What `defaults` says of the field; nothing of one that no default can be said of.
std::optional<double> said(const GenerationDefaults& defaults, const RequestField& field);

/// Each parameter as `first` says it, else as `then` does. The ids that end an answer are the first's, where it has
/// any.
GenerationDefaults first_said(const GenerationDefaults& first, const GenerationDefaults& then);

/// An object of defaults by the names of the table, or of Hugging Face's generation_config.json: max_new_tokens is
/// max_tokens, and do_sample false a temperature of 0. Throws FieldError.
GenerationDefaults parse_generation_defaults(const Json& object);

/// One parameter of a request that says nothing of it.
struct DefaultParameter {
  const RequestField* field = nullptr;
  double value = 0;  // of a float its shortest decimal; INT_MAX of max_tokens: what the context leaves
};

/// Those that defaults can be said of, on a surface whose requests leave all to them.
std::vector<DefaultParameter> default_parameters(const GenerationDefaults& defaults, Surface surface);

}  // namespace caravel
