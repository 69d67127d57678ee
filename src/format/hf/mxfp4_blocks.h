#pragma once

#include <vector>

#include "format/weight_source.h"

namespace caravel::format {

/// Weights of MXFP4 as gpt-oss is published are two tensors of bytes (safetensors' U8): NAME_blocks [..., blocks of a
/// row, 16], codes of which neighbours share a byte, the first in its low half; and NAME_scales [..., blocks of a row],
/// E8M0. Makes one weight NAME [..., elements of a row] of each pair, with the second as its `scale`, and puts it
/// behind `weights`. Throws FormatError for one without the other and where their shapes do not agree, Unsupported for
/// other tensors of bytes.
void join_mxfp4_blocks(std::vector<WeightInfo> bytes, std::vector<WeightInfo>& weights);

}  // namespace caravel::format
