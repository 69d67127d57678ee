#pragma once

#include "caravel/result.h"

namespace caravel::server {

inline void add_usage(Usage& sum, const Usage& usage) {
  sum.prompt_tokens += usage.prompt_tokens;
  sum.completion_tokens += usage.completion_tokens;
  sum.cached_tokens += usage.cached_tokens;
}

}  // namespace caravel::server
