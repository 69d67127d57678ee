#include "model/weight_finder.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/error.h"

namespace caravel::model {

using format::WeightInfo;

const WeightInfo* WeightFinder::find(const Part& part, const std::vector<int64_t>& shape) const {
  if (part.name.empty()) return nullptr;
  const WeightInfo* weight = source_.find(part.name);
  if (weight == nullptr) {
    if (part.optional) return nullptr;
    throw fail<FormatError>("{}: weight {} is missing", source_.path(), part.name);
  }
  if (weight->shape != shape) {
    throw fail<FormatError>("{}: weight {} is [{}]; by the configuration it must be [{}]", weight->file, part.name,
                            fmt::join(weight->shape, ", "), fmt::join(shape, ", "));
  }
  return weight;
}

namespace {

/// That a part of each row, as it lies in the file or in memory, is whole blocks.
void check_slice(const WeightInfo& weight, DType dtype, const Slice& slice) {
  const auto& [name, block, bytes] = dtype_info(dtype);
  if (slice.is_all() || (slice.begin % block == 0 && slice.size() % block == 0)) return;
  throw fail<Unsupported>(
      "{}: weight {} has {} elements a row as {}, in blocks of {}: the {} from {} on are not whole blocks; run it on a "
      "number of tensor-parallel ranks that gives each a multiple of {}, or take a file of another type",
      weight.file, weight.name, slice.whole, name, block, slice.size(), slice.begin, block);
}

}  // namespace

VectorLayout WeightFinder::vector(const std::vector<Part>& parts) {
  std::vector<VectorLayout::Part> found;
  for (const Part& part : parts) {
    std::vector<int64_t> shape = {part.rows.whole * part.turns.of};
    if (part.experts > 0) shape = {part.experts, shape[0] / part.experts};
    const WeightInfo* weight = find(part, shape);
    if (weight != nullptr) check_slice(*weight, weight->dtype, part.rows);
    found.push_back({weight, part.rows, part.turns});
  }
  if (std::ranges::all_of(found, [](const auto& part) { return part.weight == nullptr; })) return {};
  VectorLayout layout(std::move(found));
  bytes_ += layout.bytes();
  return layout;
}

VectorLayout WeightFinder::table(const Part& part, int64_t width) {
  const WeightInfo* weight = find(part, {part.rows.whole, width});
  if (weight == nullptr) return {};
  if (is_float8(weight->dtype)) {
    throw fail<Unsupported>("{}: weight {} is of 8-bit floats, which are read of matrices that are multiplied by alone",
                            weight->file, weight->name);
  }
  VectorLayout layout({{weight, part.rows.times(width)}});
  bytes_ += layout.bytes();
  return layout;
}

MatrixLayout WeightFinder::matrix(const std::vector<Part>& parts, Slice columns) {
  return lay_out(parts, columns, Use::kLayer);
}

MatrixLayout WeightFinder::experts(const std::vector<std::vector<Part>>& stacks, Slice columns) {
  std::vector<Part> parts;
  for (const std::vector<Part>& stack : stacks) parts.insert(parts.end(), stack.begin(), stack.end());
  return lay_out(parts, columns, Use::kLayer, static_cast<int>(stacks.size()));
}

MatrixLayout WeightFinder::router(const std::vector<Part>& parts, int64_t width) {
  return lay_out(parts, width, Use::kRouter);
}

MatrixLayout WeightFinder::head(const Part& part, int64_t width) { return lay_out({part}, width, Use::kHead); }

MatrixLayout WeightFinder::lookup(const Part& part, int64_t width) { return lay_out({part}, width, Use::kLookup); }

std::vector<int64_t> WeightFinder::matrix_shape(const Part& part, const Slice& columns) const {
  if (part.experts > 0) {
    const int64_t of_each = part.turns.of * part.rows.whole / part.experts;
    if (part.by_columns) return {part.experts, columns.whole, of_each};
    return {part.experts, of_each, columns.whole};
  }
  if (part.by_columns) {
    return {part.stored_columns.size() > 0 ? part.stored_columns.whole : columns.whole, part.rows.whole};
  }
  // One row may be a vector, as llama.cpp has it.
  const WeightInfo* weight = source_.find(part.name);
  if (part.rows.whole == 1 && weight != nullptr && weight->shape.size() == 1) return {columns.whole};
  return {part.rows.whole, columns.whole};
}

MatrixLayout WeightFinder::lay_out(const std::vector<Part>& parts, Slice columns, Use use, int experts) {
  // What a device rounds to BF16 on its way may as well be kept so.
  const bool rounds = kernels::input_form(device_, DType::kQ8_0, false) == kernels::InputForm::kBf16;
  std::vector<MatrixLayout::Part> found;
  for (const Part& part : parts) {
    const WeightInfo* weight = find(part, matrix_shape(part, columns));
    CARAVEL_CHECK(weight != nullptr);  // no table makes a part of a stack optional
    const bool sliced = part.stored_columns.size() > 0;
    if (part.by_columns && !sliced && (is_quantized(weight->dtype) || is_float8(weight->dtype))) {
      throw fail<Unsupported>(
          "{}: weight {} is of {} and stored as [in, out]; of such, those of F32, F16 and BF16 are read", weight->file,
          weight->name, dtype_info(weight->dtype).name);
    }
    if (part.experts > 0 && is_float8(weight->dtype)) {
      throw fail<Unsupported>(
          "{}: weight {} holds all experts as {}, whose scales would be theirs each; of 8-bit floats files with a "
          "tensor for each expert are read",
          weight->file, weight->name, dtype_info(weight->dtype).name);
    }
    found.push_back({weight, weight->dtype, part.rows, part.by_columns, part.turns, part.stored_columns.begin});
    // Blocks lie along what are columns here, and so do not outlive it; neither do scales.
    if (sliced && (is_quantized(weight->dtype) || is_float8(weight->dtype))) {
      found.back().dtype = rounds ? DType::kBF16 : DType::kF32;
    }
  }
  // Quantised parts take 8-bit inputs and others f32, so a stack of both has no one input. Converters do not make
  // them; where one comes, its quantised parts become F32, which changes no value.
  const auto quantized = [](const MatrixLayout::Part& part) { return is_quantized(part.dtype); };
  const bool quantizes = use != Use::kRouter && quantization_ == Quantization::kQ8_0 &&
                         columns.whole % dtype_info(DType::kQ8_0).block_elements == 0;
  const bool shortens = quantization_ == Quantization::kFp8 && use == Use::kLayer;
  // Rotation is for inputs of 8 bits; where a device takes others there is nothing to gain by it.
  const bool eight_bits = kernels::input_form(device_, DType::kQ8_0, false) == kernels::InputForm::kQ8;
  const bool rotates = use != Use::kLookup && quantizes && eight_bits && std::ranges::none_of(found, quantized);
  for (MatrixLayout::Part& part : found) {
    if (quantizes && !quantized(part)) part.dtype = DType::kQ8_0;
    if (shortens && !quantized(part) && !is_float8(part.dtype)) part.dtype = DType::kF8E4M3;
  }
  if (use == Use::kRouter) {
    // Its few rows decide what all others are worth, and its input is there as f32.
    for (MatrixLayout::Part& part : found) {
      const bool reads_f32 = kernels::input_form(device_, part.dtype, false) == kernels::InputForm::kF32;
      if (is_float8(part.dtype) || !reads_f32) part.dtype = DType::kF32;
    }
  }
  if (!std::ranges::all_of(found, quantized)) {
    for (MatrixLayout::Part& part : found) part.dtype = quantized(part) ? DType::kF32 : part.dtype;
  }
  for (const MatrixLayout::Part& part : found) {
    if (!part.by_columns) check_slice(*part.weight, part.weight->dtype, columns);
    check_slice(*part.weight, part.dtype, columns);
  }
  const size_t of_each = found.size() / static_cast<size_t>(experts);
  for (size_t i = of_each; i < found.size(); ++i) {
    const MatrixLayout::Part& first = found[i % of_each];
    if (found[i].weight->dtype == first.weight->dtype) continue;
    throw fail<Unsupported>("{}: weight {} is {} and {} is {}; experts of different types are not supported",
                            found[i].weight->file, first.weight->name, dtype_info(first.weight->dtype).name,
                            found[i].weight->name, dtype_info(found[i].weight->dtype).name);
  }
  MatrixLayout layout(device_, std::move(found), columns, rotates, experts);
  bytes_ += layout.bytes();
  return layout;
}

}  // namespace caravel::model
