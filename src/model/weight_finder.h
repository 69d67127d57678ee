#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "caravel/config.h"
#include "format/weight_source.h"
#include "model/weight_layout.h"

namespace caravel::model {

/// Finds a model's weights by their names in its files' headers, and decides how each will stand in memory.
class WeightFinder {
 public:
  struct Part {
    std::string name;  // in the file; empty: the architecture does not have it
    Slice rows;        // of a vector its elements; of experts together those of one after the other
    bool optional = false;
    bool by_columns = false;  // a matrix that the file has as [columns, rows], of experts together by each
    Slice stored_columns;     // of one by columns: which rows of the file are its columns; empty: all there are
    int64_t experts = 0;  // it is many experts' together, [experts, rows of each, columns]; 0: it is [rows, columns]
    Turns turns;
  };

  /// For weights that `device` will hold. `source` must outlive it, and what it finds.
  WeightFinder(Device& device, const format::WeightSource& source, Quantization quantization)
      : device_(device), source_(source), quantization_(quantization) {}

  // They throw FormatError for a part that is missing and not optional, and for one of another shape; Unsupported where
  // a slice cuts a block, or where a whole matrix that is stored by columns has blocks.

  /// Parts that lie one after the other. Absent where all are; a part alone that is absent is zero.
  VectorLayout vector(const std::vector<Part>& parts);
  /// A matrix [rows, width] whose rows lie one after the other as f32.
  VectorLayout table(const Part& part, int64_t width);
  /// Parts [rows, columns] that are stacked; all are there. What becomes Q8_0 here is rotated before where inputs have
  /// 8 bits, which loses less.
  MatrixLayout matrix(const std::vector<Part>& parts, Slice columns);
  /// As many experts' matrices as there are stacks of parts, each stack as above. Throws Unsupported too where a part's
  /// type is not that of the first expert's.
  MatrixLayout experts(const std::vector<std::vector<Part>>& stacks, Slice columns);
  /// Parts that stay as exact as they are in the file, whatever becomes of other matrices.
  MatrixLayout router(const std::vector<Part>& parts, int64_t width);
  /// An LM head, which does not become a float of 8 bits.
  MatrixLayout head(const Part& part, int64_t width);
  /// The same of a matrix whose rows are looked up one by one, and which may be multiplied by as well: never rotated.
  MatrixLayout lookup(const Part& part, int64_t width);

  /// That all of them take in memory.
  size_t bytes() const { return bytes_; }

 private:
  /// nullptr: the architecture does not have it, or it may be absent and is.
  const format::WeightInfo* find(const Part& part, const std::vector<int64_t>& shape) const;
  enum class Use : uint8_t { kLayer, kRouter, kHead, kLookup };
  MatrixLayout lay_out(const std::vector<Part>& parts, Slice columns, Use use, int experts = 1);
  std::vector<int64_t> matrix_shape(const Part& part, const Slice& columns) const;

  Device& device_;
  const format::WeightSource& source_;
  Quantization quantization_;
  size_t bytes_ = 0;
};

}  // namespace caravel::model
