#include "model/weight_loader.h"

#include "kernels/dequantize.h"
#include "kernels/quantize_rows.h"

namespace caravel::model {
namespace {

/// Rows as they lie in a file, and what keeps them there.
struct FileRows {
  MappedBytes mapped;
  kernels::WeightRows rows;
};

/// Whole rows are one range of bytes; parts of rows are mapped from the first one's beginning to the last one's end.
FileRows map_rows(const format::WeightSource& source, const MatrixLayout::Part& part, const Slice& columns) {
  const DType dtype = part.weight->dtype;
  const int64_t stride = row_bytes(dtype, columns.whole);
  const int64_t begin = part.rows.begin * stride + row_bytes(dtype, columns.begin);
  const int64_t bytes = (part.rows.size() - 1) * stride + row_bytes(dtype, columns.size());
  FileRows file{.mapped = source.map(*part.weight, static_cast<uint64_t>(begin), static_cast<uint64_t>(bytes))};
  file.rows = {.data = file.mapped.bytes().data(), .dtype = dtype, .rows = part.rows.size(), .stride = stride};
  return file;
}

}  // namespace

std::vector<float> WeightLoader::values(const VectorLayout& layout) const {
  std::vector<float> values(static_cast<size_t>(layout.width()));
  float* out = values.data();
  for (const auto& [weight, elements] : layout.parts()) {
    if (weight != nullptr) {
      const FileRows file = map_rows(source_, {weight, weight->dtype, 1}, elements);
      kernels::dequantize_rows(weight->dtype, file.rows.data, 1, elements.size(), out);
    }
    out += elements.size();
  }
  return values;
}

Buffer WeightLoader::vector(std::span<const float> values) {
  Buffer buffer = sink_.vector(values);
  bytes_ += buffer.size();
  return buffer;
}

kernels::PackedWeight WeightLoader::matrix(const MatrixLayout& layout) {
  if (!layout) return {};
  const int64_t in = layout.in();
  std::vector<FileRows> files;
  std::vector<std::vector<float>> unpacked;  // what is kept in another type than the file's
  std::vector<std::vector<std::byte>> quantized;
  std::vector<kernels::WeightRows> stack;
  for (const MatrixLayout::Part& part : layout.parts()) {
    const auto& [data, dtype, rows, stride] = files.emplace_back(map_rows(source_, part, layout.columns())).rows;
    if (part.dtype == dtype) {
      stack.push_back(files.back().rows);
      continue;
    }
    std::vector<float>& values = unpacked.emplace_back(static_cast<size_t>(rows * in));
    for (int64_t r = 0; r < rows; ++r) {
      kernels::dequantize_rows(dtype, data + r * stride, 1, in, values.data() + r * in);
    }
    if (part.dtype == DType::kQ8_0) {
      if (layout.rotated()) kernels::rotate_rows(values.data(), rows, in);
      auto& blocks = quantized.emplace_back(static_cast<size_t>(rows * row_bytes(part.dtype, in)));
      kernels::quantize_rows_q8_0(values.data(), rows, in, blocks.data());
      stack.push_back({blocks.data(), part.dtype, rows});
      unpacked.pop_back();
    } else {
      stack.push_back({reinterpret_cast<const std::byte*>(values.data()), part.dtype, rows});
    }
  }
  kernels::PackedWeight packed = sink_.matrix(stack, in, layout.rotated());
  bytes_ += packed.bytes();
  return packed;
}

}  // namespace caravel::model
