#pragma once

#include "device/device.h"
#include "format/weight_source.h"
#include "kernels/packed_weight.h"
#include "model/config.h"
#include "model/weight_layout.h"
#include "model/weight_sink.h"

namespace caravel::model {

/// As a device's kernels read them: vectors as f32, matrices packed.
using LayerWeights = LayerOf<kernels::PackedWeight, Buffer>;
using ModelWeights = WeightsOf<kernels::PackedWeight, Buffer>;

/// Brings all weights of the configuration's shard into the sink, one after the other: of the source's data no more is
/// mapped than what is being packed, and nothing that belongs to other ranks alone. Throws as weight_layout() does
/// before it reads any, CapacityError, IoError.
ModelWeights load_weights(WeightSink& sink, const format::WeightSource& source, const ModelConfig& config);

}  // namespace caravel::model
