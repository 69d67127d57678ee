#pragma once

#include <cstdint>
#include <vector>

#include "model/encoder_config.h"

namespace caravel::model {

/// A text's vector of its tokens' states, f32 [tokens, width], on the host. Throws nothing; tokens is at least 1.
std::vector<float> pool(Pooling pooling, const float* states, int64_t tokens, int64_t width);

}  // namespace caravel::model
