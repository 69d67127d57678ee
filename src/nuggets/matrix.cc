#include "nuggets/matrix.h"

#include <cmath>

#include "base/error.h"

namespace caravel::nuggets {
namespace {

// A distance is at most twice as long as the longer of two rows: its square stays a finite float.
constexpr float kMostSquared = 1e37F;

}  // namespace

void check_rows(const Matrix& matrix) {
  if (matrix.width == 0 || matrix.values.size() % matrix.width != 0) {
    throw fail<InvalidArgument>("{} numbers are no whole embeddings of {}", matrix.values.size(), matrix.width);
  }
  for (size_t row = 0; row < matrix.rows(); ++row) {
    const float squared = dot(matrix.row(row), matrix.row(row));
    if (std::isnan(squared)) throw fail<InvalidArgument>("embedding {} (from 0) holds a value that is no number", row);
    if (squared > kMostSquared) {
      throw fail<InvalidArgument>(
          "embedding {} (from 0) is too long to measure distances: its squares' sum is {:g}, at "
          "most {:g} works; give vectors of length 1",
          row, squared, kMostSquared);
    }
  }
}

}  // namespace caravel::nuggets
