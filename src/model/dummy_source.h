#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "format/weight_source.h"

namespace caravel::model {

/// Weights that no file has.
struct DummyWeights {
  /// Of the matrices, as DTypeInfo names it. Empty: config.json's, BF16 where that is none of ours; where its
  /// quantization_config says fp8, 8-bit floats for those of layers, and where it says mxfp4, MXFP4 for experts.
  std::string dtype;
  uint64_t seed = 0;  // another one makes other weights
};

/// Every weight that a folder's config.json asks for, as vLLM's load format `dummy` has them: matrices and biases are
/// random (kernels/dummy_rows.h), norms leave their input as it is. Biases that a model may have or not are there
/// where attention_bias or mlp_bias is true. folder: as format::open_without_weights() gives it. Throws what
/// read_config() throws, Unsupported for an encoder's folder, InvalidArgument where there is no such type, or rows are
/// no whole blocks of it (with those of which they are); FormatError where they are none of config.json's type.
std::unique_ptr<format::WeightSource> make_dummy(std::unique_ptr<format::WeightSource> folder,
                                                 const DummyWeights& weights);

}  // namespace caravel::model
