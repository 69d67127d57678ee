#pragma once

#include "cli/voyage/voyage_options.h"

namespace caravel::cli {

/// A run from its beginning, or from where it was stopped, to its end; what it is to be ended with. Throws Error:
/// everything that can be wrong with what was asked is found before a model is loaded.
int run_voyage(const VoyageOptions& options);

}  // namespace caravel::cli
