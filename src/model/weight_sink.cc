#include "model/weight_sink.h"

#include "device/upload.h"

namespace caravel::model {

DeviceSink::DeviceSink(Device& device) : stream_(device.make_stream()), packer_(kernels::make_weight_packer(device)) {}

Buffer DeviceSink::vector(std::span<const float> values) { return upload(*stream_, values); }

kernels::PackedWeight DeviceSink::matrix(std::span<const kernels::WeightRows> stacked, int64_t in, bool rotated) {
  return packer_->pack(stacked, in, rotated);
}

}  // namespace caravel::model
