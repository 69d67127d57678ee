#include "model/weight_sink.h"

#include "base/check.h"
#include "device/upload.h"
#include "model/layer_stream.h"

namespace caravel::model {

DeviceSink::DeviceSink(Device& device) : stream_(device.make_stream()), packer_(kernels::make_weight_packer(device)) {}

Buffer DeviceSink::vector(std::span<const float> values) { return upload(*stream_, values); }

kernels::PackedWeight DeviceSink::matrix(const MatrixLayout& layout, const kernels::StackOf& stack_of) {
  return packer_->pack(layout.experts(), stack_of, layout.in(), layout.rotated());
}

HostSink::HostSink(DeviceSink& device, size_t bytes)
    : device_(device), memory_(device.device().allocate_host(bytes)), stream_(device.device().make_stream()) {}

std::byte* HostSink::take(size_t bytes) {
  std::byte* const at = memory_.as() + used_;
  used_ += aligned_matrix(bytes);
  CARAVEL_CHECK_LE(used_, memory_.size());
  return at;
}

kernels::PackedWeight HostSink::matrix(const MatrixLayout& layout, const kernels::StackOf& stack_of) {
  const size_t of_each = layout.bytes() / static_cast<size_t>(layout.experts());
  const Buffer there = device().allocate(of_each);
  std::byte* const at = take(layout.bytes());
  kernels::PackedWeight one;
  for (int e = 0; e < layout.experts(); ++e) {
    one = device_.packer().pack_to(there.address(), stack_of(e), layout.in(), layout.rotated());
    CARAVEL_CHECK_EQ(one.bytes(), of_each);
    stream_->copy(at + static_cast<size_t>(e) * of_each, there.address(), of_each);
    stream_->synchronize();
  }
  return one.each_of(layout.experts(), Buffer::view(at, layout.bytes()));
}

}  // namespace caravel::model
