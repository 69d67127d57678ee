#include "kernels/packed_weight.h"

#include "base/check.h"
#include "base/error.h"
#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
InputForm input_form(DType dtype, bool rotated);
size_t packed_bytes(DType dtype, int64_t rows, int64_t in);
std::unique_ptr<WeightPacker> make_weight_packer(Device& device);
}  // namespace cpu

namespace cuda {
InputForm input_form(DType dtype, bool rotated);
size_t packed_bytes(DType dtype, int64_t rows, int64_t in);
std::unique_ptr<WeightPacker> make_weight_packer(Device& device);
}  // namespace cuda

InputForm input_form(Device& device, DType dtype, bool rotated) {
  return by_device(device, cpu::input_form, CARAVEL_IF_CUDA(cuda::input_form))(dtype, rotated);
}

size_t packed_bytes(Device& device, DType dtype, int64_t rows, int64_t in) {
  return by_device(device, cpu::packed_bytes, CARAVEL_IF_CUDA(cuda::packed_bytes))(dtype, rows, in);
}

std::unique_ptr<WeightPacker> make_weight_packer(Device& device) {
  return by_device(device, cpu::make_weight_packer, CARAVEL_IF_CUDA(cuda::make_weight_packer))(device);
}

namespace {

/// What packing makes of matrices, one after the other: all but where its bytes are. Throws as pack_to() does.
PackedWeight stack_parts(Device& device, std::span<const WeightRows> stacked, int64_t in, bool rotated) {
  CARAVEL_CHECK(!stacked.empty() && stacked.size() <= PackedWeight::kMaxParts);
  const InputForm form = input_form(device, stacked[0].dtype, rotated);
  std::vector<PackedWeight::Part> parts;
  int64_t out = 0;
  size_t bytes = 0;
  for (const WeightRows& part : stacked) {
    const DTypeInfo& info = dtype_info(part.dtype);
    if (is_quantized(part.dtype) != is_quantized(stacked[0].dtype)) {
      throw fail<Unsupported>("a {} and a {} matrix share one input; either both are quantised or neither",
                              dtype_info(stacked[0].dtype).name, info.name);
    }
    if (in <= 0 || in % info.block_elements != 0) {
      throw fail<InvalidArgument>("a {} matrix has rows of {} elements, no multiple of its block of {}", info.name, in,
                                  info.block_elements);
    }
    parts.push_back({part.dtype, out, part.rows, bytes, part.heads});
    out += part.rows;
    bytes += packed_bytes(device, part.dtype, part.rows, in);
  }
  return {std::move(parts), in, form, Buffer::view(nullptr, bytes)};
}

}  // namespace

PackedWeight WeightPacker::pack_to(std::byte* to, std::span<const WeightRows> stacked, int64_t in, bool rotated) {
  const PackedWeight packed = stack_parts(device_, stacked, in, rotated);
  pack_parts(to, stacked, packed.parts(), in);
  return packed.at(to);
}

PackedWeight WeightPacker::pack(int experts, const StackOf& stack_of, int64_t in, bool rotated) {
  CARAVEL_CHECK_GE(experts, 1);
  PackedWeight one;
  Buffer memory;
  for (int e = 0; e < experts; ++e) {
    const std::span<const WeightRows> stacked = stack_of(e);
    if (e == 0) {
      one = stack_parts(device_, stacked, in, rotated);
      memory = device_.allocate(one.bytes() * static_cast<size_t>(experts));
    }
    const size_t bytes = one.bytes();
    one = pack_to(memory.address() + static_cast<size_t>(e) * bytes, stacked, in, rotated);
    CARAVEL_CHECK_EQ(one.bytes(), bytes);
  }
  return one.each_of(experts, std::move(memory));
}

PackedWeight pack_weight(Stream& stream, std::span<const WeightRows> stacked, int64_t in, bool rotated) {
  return make_weight_packer(stream.device())->pack(1, [&](int) { return stacked; }, in, rotated);
}

}  // namespace caravel::kernels
