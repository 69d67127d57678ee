#include "model/weight_loader.h"

#include "device/upload.h"
#include "kernels/dequantize.h"
#include "kernels/quantize_rows.h"

namespace caravel::model {

std::vector<float> WeightLoader::values(const VectorLayout& layout) const {
  std::vector<float> values(static_cast<size_t>(layout.width()));
  float* out = values.data();
  for (const auto& [weight, width] : layout.parts()) {
    if (weight != nullptr) {
      kernels::dequantize_rows(weight->dtype, source_.map(*weight).bytes().data(), 1, width, out);
    }
    out += width;
  }
  return values;
}

Buffer WeightLoader::vector(const VectorLayout& layout, const std::function<void(std::span<float>)>& change) {
  if (!layout) return {};
  std::vector<float> all = values(layout);
  if (change) change(all);
  Buffer buffer = upload<float>(stream_, all);
  bytes_ += buffer.size();
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
