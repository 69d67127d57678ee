#include "model/weight_loader.h"

#include <vector>

#include "kernels/dequantize.h"
#include "kernels/quantize_rows.h"

namespace caravel::model {

/// Buffers are written by the host here: on a CPU the device's memory is the host's.
Buffer WeightLoader::vector(const VectorLayout& layout) {
  if (!layout) return {};
  Buffer buffer = stream_.device().allocate(layout.bytes());
  bytes_ += buffer.size();
  float* out = buffer.as<float>();
  for (const auto& [weight, width] : layout.parts()) {
    if (weight != nullptr) {
      kernels::dequantize_rows(weight->dtype, source_.map(*weight).bytes().data(), 1, width, out);
    }
    out += width;
  }
  return buffer;
}

kernels::PackedWeight WeightLoader::matrix(const MatrixLayout& layout) {
  if (!layout) return {};
  std::vector<MappedBytes> mapped;
  std::vector<std::vector<float>> unpacked;  // what is kept in another type than the file's
  std::vector<std::vector<std::byte>> quantized;
  std::vector<kernels::WeightRows> stack;
  for (const auto& [weight, dtype, rows] : layout.parts()) {
    const std::byte* data = mapped.emplace_back(source_.map(*weight)).bytes().data();
    if (dtype != weight->dtype) {
      std::vector<float>& values = unpacked.emplace_back(static_cast<size_t>(rows * layout.in()));
      kernels::dequantize_rows(weight->dtype, data, rows, layout.in(), values.data());
      data = reinterpret_cast<const std::byte*>(values.data());
      if (dtype == DType::kQ8_0) {
        if (layout.rotated()) kernels::rotate_rows(values.data(), rows, layout.in());
        auto& blocks = quantized.emplace_back(static_cast<size_t>(rows * row_bytes(dtype, layout.in())));
        kernels::quantize_rows_q8_0(values.data(), rows, layout.in(), blocks.data());
        data = blocks.data();
        unpacked.pop_back();
      }
    }
    stack.push_back({data, dtype, rows});
  }
  kernels::PackedWeight packed = kernels::pack_weight(stream_, stack, layout.in(), layout.rotated());
  bytes_ += packed.bytes();
  return packed;
}

}  // namespace caravel::model
