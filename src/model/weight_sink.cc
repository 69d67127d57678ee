#include "model/weight_sink.h"

#include "base/check.h"
#include "device/upload.h"
#include "model/layer_stream.h"

namespace caravel::model {
namespace {

/// Packs experts by way of `pack`, and copies each to its place in memory_of(bytes of all). The weight is a view of
/// that.
template <typename Pack, typename MemoryOf>
kernels::PackedWeight pack_experts(Stream& stream, int count, const WeightSink::StackOf& stack_of, const Pack& pack,
                                   const MemoryOf& memory_of) {
  kernels::PackedWeight all;
  std::byte* to = nullptr;
  for (int e = 0; e < count; ++e) {
    const kernels::PackedWeight one = pack(stack_of(e));
    if (e == 0) {
      const size_t bytes = one.bytes() * static_cast<size_t>(count);
      to = memory_of(bytes);
      const auto parts = one.parts();
      all = {{parts.begin(), parts.end()}, one.in(), one.input_form(), Buffer::view(to, bytes), count};
    }
    CARAVEL_CHECK_EQ(one.bytes(), all.expert_bytes());
    stream.copy(to + static_cast<size_t>(e) * one.bytes(), one.data(), one.bytes());
    stream.synchronize();
  }
  return all;
}

}  // namespace

DeviceSink::DeviceSink(Device& device) : stream_(device.make_stream()), packer_(kernels::make_weight_packer(device)) {}

Buffer DeviceSink::vector(std::span<const float> values) { return upload(*stream_, values); }

kernels::PackedWeight DeviceSink::matrix(std::span<const kernels::WeightRows> stacked, int64_t in, bool rotated) {
  return packer_->pack(stacked, in, rotated);
}

kernels::PackedWeight DeviceSink::experts(int count, const StackOf& stack_of, int64_t in, bool rotated) {
  Buffer memory;
  const kernels::PackedWeight all = pack_experts(
      *stream_, count, stack_of, [&](auto stacked) { return matrix(stacked, in, rotated); },
      [&](size_t bytes) {
        memory = device().allocate(bytes);
        return memory.address();
      });
  const auto parts = all.parts();
  return {{parts.begin(), parts.end()}, in, all.input_form(), std::move(memory), count};
}

HostSink::HostSink(DeviceSink& device, size_t bytes)
    : device_(device), memory_(device.device().allocate_host(bytes)), stream_(device.device().make_stream()) {}

std::byte* HostSink::take(size_t bytes) {
  std::byte* const at = memory_.as() + used_;
  used_ += aligned_matrix(bytes);
  CARAVEL_CHECK_LE(used_, memory_.size());
  return at;
}

kernels::PackedWeight HostSink::matrix(std::span<const kernels::WeightRows> stacked, int64_t in, bool rotated) {
  const kernels::PackedWeight packed = device_.matrix(stacked, in, rotated);
  std::byte* const at = take(packed.bytes());
  stream_->copy(at, packed.data(), packed.bytes());
  stream_->synchronize();
  return packed.at(at);
}

kernels::PackedWeight HostSink::experts(int count, const StackOf& stack_of, int64_t in, bool rotated) {
  return pack_experts(
      *stream_, count, stack_of, [&](auto stacked) { return device_.matrix(stacked, in, rotated); },
      [&](size_t bytes) { return take(bytes); });
}

}  // namespace caravel::model
