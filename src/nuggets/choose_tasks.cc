#include "nuggets/choose_tasks.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/philox.h"
#include "nuggets/kmeans.h"

namespace caravel::nuggets {

std::vector<size_t> random_rows(size_t rows, size_t count, uint64_t seed, uint32_t draw) {
  std::vector<std::pair<double, size_t>> numbers(rows);
  for (size_t row = 0; row < rows; ++row) numbers[row] = {uniform(seed, draw, row), row};
  count = std::min(count, rows);
  const auto end = numbers.begin() + static_cast<std::ptrdiff_t>(count);
  std::nth_element(numbers.begin(), end, numbers.end());
  std::vector<size_t> chosen;
  for (auto number = numbers.begin(); number != end; ++number) chosen.push_back(number->second);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

std::vector<size_t> central_rows(const Matrix& embeddings, size_t count, uint64_t seed, ThreadPool& pool) {
  if (count == 0) return {};
  if (count >= embeddings.rows()) {
    std::vector<size_t> all(embeddings.rows());
    std::iota(all.begin(), all.end(), size_t{0});
    return all;
  }
  std::vector<size_t> chosen = nearest_rows(embeddings, kmeans(embeddings, count, seed, pool), pool);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace caravel::nuggets
