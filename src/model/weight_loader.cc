#include "model/weight_loader.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "kernels/dequantize.h"
#include "kernels/quantize_rows.h"

namespace caravel::model {
namespace {

/// Rows as they lie in a file, or would, and what keeps them there.
struct FileRows {
  MappedBytes mapped;
  std::vector<std::byte> made;
  std::vector<float> scales;
  kernels::WeightRows rows;
};

/// Those of the part's rows and columns, [rows, row_scales()].
std::vector<float> read_scales(const format::WeightSource& source, const MatrixLayout::Part& part,
                               const Slice& columns) {
  const format::WeightInfo& scale = *part.weight->scale;
  const MappedBytes mapped = source.map(scale);
  const DType dtype = part.weight->dtype;
  std::vector<float> stored(scale.bytes / static_cast<uint64_t>(row_bytes(scale.dtype, 1)));
  kernels::dequantize_rows(scale.dtype, mapped.bytes().data(), 1, static_cast<int64_t>(stored.size()), stored.data());
  const int64_t all_rows = part.weight->shape[0];
  const int64_t stored_columns = row_scales(dtype, columns.whole);
  const int64_t stored_rows = static_cast<int64_t>(stored.size()) / stored_columns;
  const int64_t rows_of_scale = stored_rows == 1 ? all_rows : stored_rows == all_rows ? 1 : 128;
  const int64_t first = dtype == DType::kF8E4M3 ? 0 : columns.begin / dtype_info(dtype).block_elements;
  const int64_t count = row_scales(dtype, columns.size());
  std::vector<float> scales;
  for (int64_t r = part.rows.begin; r < part.rows.end; ++r) {
    const auto from = stored.begin() + r / rows_of_scale * stored_columns + first;
    scales.insert(scales.end(), from, from + count);
  }
  return scales;
}

/// Its rows are the file's columns, whose blocks or scales do not outlive that.
bool is_unpacked(const MatrixLayout::Part& part) {
  return part.by_columns && (is_quantized(part.weight->dtype) || is_float8(part.weight->dtype));
}

/// In the whole weight.
int64_t first_byte(const MatrixLayout::Part& part, const Slice& columns) {
  const DType dtype = is_unpacked(part) ? DType::kF32 : part.weight->dtype;
  const int64_t before = part.by_columns ? part.first_column * row_bytes(dtype, part.rows.whole) : 0;
  return before + part.turns.place(part.rows.begin) * row_bytes(dtype, columns.whole) + row_bytes(dtype, columns.begin);
}

/// Rows and columns of a matrix that the file has as [columns, rows], or of one expert's among others.
std::vector<std::byte> rows_by_columns(const format::WeightSource& source, const MatrixLayout::Part& part,
                                       const Slice& columns) {
  const auto element = static_cast<size_t>(row_bytes(part.weight->dtype, 1));
  const auto in = static_cast<size_t>(columns.size());
  const int64_t rows_there = part.weight->shape.back();
  const int64_t first = part.turns.place(part.rows.begin);
  const uint64_t bytes = static_cast<uint64_t>(columns.whole * rows_there) * element;
  const uint64_t before = static_cast<uint64_t>(part.first_column * rows_there) * element;
  const MappedBytes mapped =
      source.map(*part.weight, static_cast<uint64_t>(first / rows_there) * bytes + before, bytes);
  const size_t step = static_cast<size_t>(part.turns.of) * element;
  std::vector<std::byte> made(static_cast<size_t>(part.rows.size()) * in * element);
  constexpr int64_t kAtOnce = 64;  // rows whose elements of a column are neighbours in the file
  for (int64_t begin = part.rows.begin; begin < part.rows.end; begin += kAtOnce) {
    const int64_t end = std::min(begin + kAtOnce, part.rows.end);
    for (size_t c = 0; c < in; ++c) {
      const int64_t column = columns.begin + static_cast<int64_t>(c);
      const int64_t row = first % rows_there + part.turns.of * (begin - part.rows.begin);
      const std::byte* from = mapped.bytes().data() + static_cast<size_t>(column * rows_there + row) * element;
      std::byte* to = made.data() + (static_cast<size_t>(begin - part.rows.begin) * in + c) * element;
      for (int64_t r = begin; r < end; ++r, from += step, to += in * element) std::memcpy(to, from, element);
    }
  }
  return made;
}

/// Rows of MXFP4 whose codes and scales lie apart, as DType::kMXFP4 has them: before a block's codes its scale, and in
/// the byte of code j code j + 16.
std::vector<std::byte> joined_blocks(const format::WeightSource& source, const MatrixLayout::Part& part,
                                     const Slice& columns) {
  const auto [name, elements, block_bytes] = dtype_info(DType::kMXFP4);
  const int64_t code_bytes = block_bytes - 1;
  const int64_t count = columns.size() / elements;  // blocks of a row
  const int64_t of_row = columns.whole / elements;
  const int64_t stride = part.turns.of * of_row;
  const int64_t begin = part.turns.place(part.rows.begin) * of_row + columns.begin / elements;
  const int64_t blocks = (part.rows.size() - 1) * stride + count;
  const auto bytes = [](int64_t number) { return static_cast<uint64_t>(number); };
  const MappedBytes codes = source.map(*part.weight, bytes(begin * code_bytes), bytes(blocks * code_bytes));
  const MappedBytes scales = source.map(*part.weight->scale, bytes(begin), bytes(blocks));
  std::vector<std::byte> made(static_cast<size_t>(part.rows.size() * count * block_bytes));
  std::byte* to = made.data();
  for (int64_t r = 0; r < part.rows.size(); ++r) {
    for (int64_t block = r * stride; block < r * stride + count; ++block) {
      const std::byte* from = codes.bytes().data() + block * code_bytes;
      *to++ = scales.bytes()[static_cast<size_t>(block)];
      for (int i = 0; i < code_bytes / 2; ++i) {
        const std::byte behind = from[i + code_bytes / 2];
        to[2 * i] = (from[i] & std::byte{15}) | behind << 4;
        to[2 * i + 1] = from[i] >> 4 | (behind & std::byte{0xf0});
      }
      to += code_bytes;
    }
  }
  return made;
}

FileRows host_rows(const format::WeightSource& source, const MatrixLayout::Part& part, const Slice& columns);

/// The same as f32, of what blocks or scales are of along the file's rows.
std::vector<std::byte> values_by_columns(const format::WeightSource& source, const MatrixLayout::Part& part,
                                         const Slice& columns) {
  const int64_t first = part.first_column + columns.begin;
  const FileRows stored = host_rows(
      source, {part.weight, part.dtype, {part.weight->shape[0], first, first + columns.size()}}, part.weight->shape[1]);
  const auto in = static_cast<size_t>(columns.size());
  const auto wide = static_cast<size_t>(part.rows.whole);
  std::vector<float> values(in * wide);
  kernels::dequantize_rows(stored.rows, part.rows.whole, values.data());
  std::vector<std::byte> made(static_cast<size_t>(part.rows.size()) * in * sizeof(float));
  auto* to = reinterpret_cast<float*>(made.data());
  for (auto r = static_cast<size_t>(part.rows.begin); r < static_cast<size_t>(part.rows.end); ++r) {
    for (size_t c = 0; c < in; ++c) *to++ = values[c * wide + r];
  }
  return made;
}

/// Whole rows are one range of bytes; parts of rows are mapped from the first one's beginning to the last one's end.
FileRows host_rows(const format::WeightSource& source, const MatrixLayout::Part& part, const Slice& columns) {
  const bool unpacked = is_unpacked(part);
  const DType dtype = unpacked ? DType::kF32 : part.weight->dtype;
  const int64_t rows = part.rows.size();
  const int64_t stride = part.turns.of * row_bytes(dtype, columns.whole);
  const int64_t width = row_bytes(dtype, columns.size());
  const int64_t begin = first_byte(part, columns);
  FileRows file;
  if (part.weight->dummy_key) {
    file.made.resize(static_cast<size_t>(rows * width));
    kernels::make_dummy_rows({*part.weight->dummy_key, begin}, dtype, rows, columns.size(), stride, file.made.data());
    file.scales.assign(static_cast<size_t>(rows * row_scales(dtype, columns.size())),
                       kernels::dummy_format(dtype).scale);
    file.rows = {.data = file.made.data(), .dtype = dtype, .rows = rows, .stride = width};
  } else if (unpacked) {
    file.made = values_by_columns(source, part, columns);
    file.rows = {.data = file.made.data(), .rows = rows};
  } else if (part.by_columns) {
    file.made = rows_by_columns(source, part, columns);
    file.rows = {.data = file.made.data(), .dtype = dtype, .rows = rows, .stride = width};
  } else if (dtype == DType::kMXFP4 && part.weight->scale != nullptr) {
    file.made = joined_blocks(source, part, columns);
    file.rows = {.data = file.made.data(), .dtype = dtype, .rows = rows, .stride = width};
  } else {
    const int64_t bytes = (rows - 1) * stride + width;
    file.mapped = source.map(*part.weight, static_cast<uint64_t>(begin), static_cast<uint64_t>(bytes));
    if (part.weight->scale != nullptr) file.scales = read_scales(source, part, columns);
    file.rows = {.data = file.mapped.bytes().data(), .dtype = dtype, .rows = rows, .stride = stride};
  }
  file.rows.scales = file.scales.data();
  return file;
}

/// An expert's parts, or those of a matrix that is no expert's.
class Stack {
 public:
  Stack(const format::WeightSource& source, const MatrixLayout& layout, int expert) : layout_(layout) {
    for (const MatrixLayout::Part& part : layout.parts(expert)) add(source, part);
    for (kernels::WeightRows& rows : rows_) rows.heads = layout.heads();
  }

  std::span<const kernels::WeightRows> rows() const { return rows_; }

 private:
  void add(const format::WeightSource& source, const MatrixLayout::Part& part) {
    const int64_t in = layout_.in();
    if (const auto& key = part.weight->dummy_key; key && part.dtype == part.weight->dtype) {
      rows_.push_back({.dtype = part.dtype,
                       .rows = part.rows.size(),
                       .stride = part.turns.of * row_bytes(part.dtype, layout_.columns().whole),
                       .dummy = kernels::DummyRows{*key, first_byte(part, layout_.columns())}});
      return;
    }
    const kernels::WeightRows& of_file = files_.emplace_back(host_rows(source, part, layout_.columns())).rows;
    const int64_t rows = of_file.rows;
    if (part.dtype == of_file.dtype) {
      rows_.push_back(of_file);
      return;
    }
    std::vector<float>& values = unpacked_.emplace_back(static_cast<size_t>(rows * in));
    kernels::dequantize_rows(of_file, in, values.data());
    if (part.dtype == DType::kF32) {
      rows_.push_back({reinterpret_cast<const std::byte*>(values.data()), part.dtype, rows});
      return;
    }
    auto& codes = quantized_.emplace_back(static_cast<size_t>(rows * row_bytes(part.dtype, in)));
    auto& of_codes = scales_.emplace_back(static_cast<size_t>(rows * row_scales(part.dtype, in)));
    if (part.dtype == DType::kBF16) {
      kernels::round_rows_bf16(values.data(), rows, in, codes.data());
    } else if (part.dtype == DType::kF8E4M3) {
      kernels::quantize_rows_f8(values.data(), rows, in, codes.data(), of_codes.data());
    } else {
      if (layout_.rotated()) kernels::rotate_rows(values.data(), rows, in);
      kernels::quantize_rows_q8_0(values.data(), rows, in, codes.data());
    }
    rows_.push_back({codes.data(), part.dtype, rows, 0, of_codes.data()});
    unpacked_.pop_back();
  }

  const MatrixLayout& layout_;
  std::vector<FileRows> files_;
  std::vector<std::vector<float>> unpacked_;  // what is kept in another type than the file's
  std::vector<std::vector<std::byte>> quantized_;
  std::vector<std::vector<float>> scales_;
  std::vector<kernels::WeightRows> rows_;
};

}  // namespace

std::vector<float> WeightLoader::values(const VectorLayout& layout) const {
  std::vector<float> values(static_cast<size_t>(layout.width()));
  float* out = values.data();
  for (const auto& [weight, elements, turns] : layout.parts()) {
    if (weight != nullptr) {
      const Slice there = {turns.of * elements.whole, turns.place(elements.begin), turns.place(elements.end - 1) + 1};
      std::vector<float> all(static_cast<size_t>(there.size()));
      const FileRows file = host_rows(source_, {weight, weight->dtype, 1}, there);
      kernels::dequantize_rows(weight->dtype, file.rows.data, 1, there.size(), all.data());
      for (int64_t i = 0; i < elements.size(); ++i) out[i] = all[static_cast<size_t>(turns.of * i)];
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
  std::optional<Stack> stack;
  const auto stack_of = [&](int expert) {
    stack.reset();
    return stack.emplace(source_, layout, expert).rows();
  };
  kernels::PackedWeight packed = sink_.matrix(layout, stack_of);
  bytes_ += packed.bytes();
  return packed;
}

}  // namespace caravel::model
