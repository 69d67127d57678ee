#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "format/weight_source.h"

namespace caravel::format {

/// What a scale of 8-bit weights is for.
enum class ScaledPart : uint8_t {
  kWhole,  // a weight
  kRow,
  kBlock,  // 128 x 128
};
/// Those that a config.json allows: several where it has groups of layers that differ, of which it takes patterns of
/// names to tell whose a weight is. Empty: it says nothing.
using ScaledParts = std::set<ScaledPart>;

/// Weights of 8-bit floats as they are published have their scales beside them, under the weight's name and "_scale"
/// (compressed-tensors, AutoFP8, FBGEMM, ModelOpt) or "_scale_inv" (DeepSeek, Qwen), which both are multiplied by: one
/// for all, one for each row, or one for each block of 128 x 128. Gives each such weight its scales and its type, and
/// takes out of the list what holds them; scales of activations and of a KV cache, which nothing here rounds to 8-bit
/// floats, as well. Throws FormatError for a weight that has none, or scales of a part that is not among `said`;
/// Unsupported for scales of another shape.
void join_float8_scales(std::vector<WeightInfo>& weights, const ScaledParts& said = {});

/// What quantises a model's weights, by its config.json (`path`), and what it says their scales are for. Throws
/// Unsupported, with the method's name, where they are neither 8-bit floats that join_float8_scales() understands nor
/// MXFP4 (mxfp4_blocks.h).
ScaledParts check_quantization(const nlohmann::json& config, const std::string& path);

}  // namespace caravel::format
