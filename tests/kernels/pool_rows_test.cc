#include "kernels/pool_rows.h"

#include <algorithm>

#include "kernels/op_testing.h"

namespace caravel::kernels {
namespace {

TEST(PoolRows, EachSequenceBecomesOneRow) {
  if (tests_a_gpu()) GTEST_SKIP() << "encoders have no GPU yet";
  Machine machine(Isa::kPortable, 3);
  const std::vector<int32_t> starts = {0, 1, 9, 9 + 70};
  for (const int64_t width : {1, 64, 131}) {
    const int64_t rows = starts.back();
    const std::vector<float> x = random_normal(rows * width, 5);
    for (const Pooling pooling : {Pooling::kMean, Pooling::kCls, Pooling::kMax}) {
      const DeviceArray x_there(*machine.stream, x);
      const DeviceArray starts_there(*machine.stream, starts);
      const DeviceArray got(*machine.stream, 3 * width, NAN);
      pool_rows(*machine.stream, {.rows = f32_tensor(x_there.data(), rows, width),
                                  .starts = starts_there.data(),
                                  .count = 3,
                                  .pooling = pooling,
                                  .out = got.data()});
      std::vector<double> expected;
      for (size_t s = 0; s < 3; ++s) {
        for (int64_t i = 0; i < width; ++i) {
          double sum = 0;
          double largest = x[static_cast<size_t>(starts[s] * width + i)];
          const double first = largest;
          for (int64_t r = starts[s]; r < starts[s + 1]; ++r) {
            const double value = x[static_cast<size_t>(r * width + i)];
            sum += value;
            largest = std::max(largest, value);
          }
          expected.push_back(pooling == Pooling::kMean  ? sum / (starts[s + 1] - starts[s])
                             : pooling == Pooling::kMax ? largest
                                                        : first);
        }
      }
      expect_close(got.values(), expected, 0, kRounding);
    }
  }
}

}  // namespace
}  // namespace caravel::kernels
