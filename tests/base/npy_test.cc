#include "base/npy.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "base/error.h"
#include "base/float_vector.h"
#include "fixtures.h"

namespace caravel {
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

class ReadNpy : public testing::Test {
 protected:
  ~ReadNpy() override { std::remove(path_.c_str()); }
  NpyMatrix read(const std::string& content) {
    std::ofstream(path_, std::ios::binary) << content;
    return read_npy(path_);
  }
  const std::string path_ = tests::temporary_path("read.npy");
};

/// As numpy 2.4's save() writes version 1.0.
std::string file(const std::string& dictionary, const std::string& numbers) {
  const std::string header = dictionary + std::string(118 - 1 - dictionary.size(), ' ') + "\n";
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + numbers;
}

TEST_F(ReadNpy, WhatWasWritten) {
  const NpyMatrix matrix = read(npy_header(2, 3) + little_endian(std::vector<float>{1, 2, 3, 4, 5, -0.5F}));
  EXPECT_EQ(matrix.rows, 2U);
  EXPECT_EQ(matrix.columns, 3U);
  EXPECT_EQ(matrix.values, (std::vector<float>{1, 2, 3, 4, 5, -0.5F}));
}

TEST_F(ReadNpy, DoublesAreRounded) {
  const double values[] = {0.1, -2};
  const NpyMatrix matrix = read(file("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }",
                                     std::string(reinterpret_cast<const char*>(values), sizeof(values))));
  EXPECT_EQ(matrix.values, (std::vector<float>{0.1F, -2}));
}

TEST_F(ReadNpy, SaysWhatItIsInstead) {
  const std::string numbers(24, '\0');
  for (const char* const other :
       {"{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), }",
        "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9223372036854775807), }", ""}) {
    EXPECT_THROW(read(file(other, numbers)), FormatError) << other;
  }
  EXPECT_THROW(read("id,text\n1,a\n"), FormatError);
  EXPECT_THROW(read(file("", "").substr(0, 60)), FormatError);
  EXPECT_THROW(read_npy(path_ + ".missing"), NotFound);
}

}  // namespace
}  // namespace caravel
