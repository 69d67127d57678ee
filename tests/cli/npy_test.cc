#include "cli/npy.h"

#include <gtest/gtest.h>

namespace caravel::cli {
namespace {

TEST(Npy, TheNumbersAreAlignedAndTheLengthIsRight) {
  for (const size_t rows : {size_t{1}, size_t{10}, size_t{123456789}, size_t{12345678901}}) {
    for (const size_t columns : {size_t{1}, size_t{576}, size_t{16384}}) {
      const std::string header = npy_header(rows, columns);
      EXPECT_EQ(std::string("\x93NUMPY\x01\x00", 8), header.substr(0, 8));
      const auto low = static_cast<unsigned char>(header[8]);
      const auto high = static_cast<unsigned char>(header[9]);
      EXPECT_EQ(header.size() - 10, low + 256U * high);
      EXPECT_EQ(0U, header.size() % 64);
      EXPECT_EQ('\n', header.back());
      EXPECT_NE(std::string::npos,
                header.find("'shape': (" + std::to_string(rows) + ", " + std::to_string(columns) + "), }"));
    }
  }
}

}  // namespace
}  // namespace caravel::cli
