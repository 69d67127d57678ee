#include "model/weight_sink.h"

#include "base/check.h"
#include "device/upload.h"
#include "model/layer_stream.h"

namespace caravel::model {

DeviceSink::DeviceSink(Device& device) : stream_(device.make_stream()), packer_(kernels::make_weight_packer(device)) {}

Buffer DeviceSink::vector(std::span<const float> values) { return upload(*stream_, values); }

kernels::PackedWeight DeviceSink::matrix(std::span<const kernels::WeightRows> stacked, int64_t in, bool rotated) {
  return packer_->pack(stacked, in, rotated);
}

HostSink::HostSink(DeviceSink& device, size_t bytes)
    : device_(device), memory_(device.device().allocate_host(bytes)), stream_(device.device().make_stream()) {}

kernels::PackedWeight HostSink::matrix(std::span<const kernels::WeightRows> stacked, int64_t in, bool rotated) {
  const kernels::PackedWeight packed = device_.matrix(stacked, in, rotated);
  std::byte* const at = memory_.as() + used_;
  used_ += aligned_matrix(packed.bytes());
  CARAVEL_CHECK_LE(used_, memory_.size());
  stream_->copy(at, packed.data(), packed.bytes());
  stream_->synchronize();
  return packed.at(at);
}

}  // namespace caravel::model
