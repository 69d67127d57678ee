#include "cli/npy.h"

#include <fmt/format.h>

namespace caravel::cli {

std::string npy_header(size_t rows, size_t columns) {
  constexpr size_t kAlignment = 64;  // of the numbers, so that the file can be mapped
  std::string header("\x93NUMPY\x01\x00", 8);
  std::string text = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  const size_t unpadded = header.size() + 2 + text.size() + 1;  // with the length's two bytes, and a line break
  text.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  text += '\n';
  header += static_cast<char>(text.size() & 0xFF);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

}  // namespace caravel::cli
