#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace caravel {

/// What stands before the numbers in a .npy file (format version 1.0) that holds a matrix of f32: lowest byte of a
/// number first, row after row.
std::string npy_header(size_t rows, size_t columns);

/// A matrix as a .npy file has it.
struct NpyMatrix {
  size_t rows = 0;
  size_t columns = 0;
  std::vector<float> values;  // [rows, columns]
};

/// Reads a matrix of f32, or of f64, which is rounded to f32. Throws NotFound, IoError; FormatError: no .npy file, cut
/// off, or another type or shape, which it names.
NpyMatrix read_npy(const std::string& path);

}  // namespace caravel
