#pragma once

#include <cstddef>
#include <string>

namespace caravel::cli {

/// What stands before the numbers in a .npy file (format version 1.0) that holds a matrix of f32: lowest byte of a
/// number first, row after row.
std::string npy_header(size_t rows, size_t columns);

}  // namespace caravel::cli
