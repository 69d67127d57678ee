#include "kernels/packed_weight.h"

#include "kernels/by_device.h"

namespace caravel::kernels {

namespace cpu {
InputForm input_form(DType dtype, bool rotated);
size_t packed_bytes(DType dtype, int64_t rows, int64_t in);
PackedWeight pack_weight(Stream& stream, std::span<const WeightRows> stacked, int64_t in, bool rotated, int experts);
std::unique_ptr<WeightPacker> make_weight_packer(Device& device);
}  // namespace cpu

namespace cuda {
InputForm input_form(DType dtype, bool rotated);
size_t packed_bytes(DType dtype, int64_t rows, int64_t in);
PackedWeight pack_weight(Stream& stream, std::span<const WeightRows> stacked, int64_t in, bool rotated, int experts);
std::unique_ptr<WeightPacker> make_weight_packer(Device& device);
}  // namespace cuda

InputForm input_form(Device& device, DType dtype, bool rotated) {
  return by_device(device, cpu::input_form, CARAVEL_IF_CUDA(cuda::input_form))(dtype, rotated);
}

size_t packed_bytes(Device& device, DType dtype, int64_t rows, int64_t in) {
  return by_device(device, cpu::packed_bytes, CARAVEL_IF_CUDA(cuda::packed_bytes))(dtype, rows, in);
}

PackedWeight pack_weight(Stream& stream, std::span<const WeightRows> stacked, int64_t in, bool rotated, int experts) {
  return by_device(stream.device(), cpu::pack_weight, CARAVEL_IF_CUDA(cuda::pack_weight))(stream, stacked, in, rotated,
                                                                                          experts);
}

std::unique_ptr<WeightPacker> make_weight_packer(Device& device) {
  return by_device(device, cpu::make_weight_packer, CARAVEL_IF_CUDA(cuda::make_weight_packer))(device);
}

}  // namespace caravel::kernels
