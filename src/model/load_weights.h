#pragma once

#include <span>
#include <vector>

#include "device/device.h"
#include "format/weight_source.h"
#include "kernels/packed_weight.h"
#include "model/config.h"
#include "model/weight_layout.h"
#include "model/weight_sink.h"

namespace caravel::model {

/// As a device's kernels read them: vectors as f32, matrices packed.
using LayerWeights = LayerOf<kernels::PackedWeight, Buffer>;
struct ModelWeights : WeightsOf<kernels::PackedWeight, Buffer> {
  /// By layer: pinned memory of the host with its matrices, which layer_stream.h brings to the device; empty where they
  /// stay there.
  std::vector<HostBuffer> in_host;
};

/// Brings all weights of the configuration's shard into the sink, one after the other: of the source's data no more is
/// mapped than what is being packed, and nothing that belongs to other ranks alone. Throws as weight_layout() does
/// before it reads any, CapacityError, IoError. in_host: layers, counted from the shard's first, whose matrices will
/// lie in the host's memory.
ModelWeights load_weights(DeviceSink& sink, const format::WeightSource& source, const ModelConfig& config,
                          std::span<const size_t> in_host = {});

}  // namespace caravel::model
