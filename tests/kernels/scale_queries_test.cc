#include "kernels/scale_queries.h"

#include "kernels/op_testing.h"
#include "kernels/product_rows.h"

namespace caravel::kernels {
namespace {

// Rows with a gap behind them, as Q's are, which K and V follow.
TEST(ScaleQueries, GrowAtEveryIntervalAndLeaveTheRestAlone) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    const std::vector<int32_t> positions = {0, 15, 16, 31, 47, 160000};
    const auto tokens = static_cast<int64_t>(positions.size());
    const int64_t width = 40, stride = 56;
    ProductRows rows(*machine.stream, random_normal(tokens * stride, 1), stride);
    const std::vector<float> before = rows.values();
    const DeviceArray there(*machine.stream, positions);
    Tensor q = rows.tensor();
    q.width = width;
    scale_queries(*machine.stream, {.q = q, .positions = there.data(), .growth = 0.5F, .interval = 16});
    const std::vector<float> after = rows.values();
    const double rounding = tests_a_gpu() ? 0x1p-8 : 3 * kRounding;
    for (int64_t t = 0; t < tokens; ++t) {
      const int32_t intervals = positions[static_cast<size_t>(t)] / 16;
      for (int64_t i = 0; i < stride; ++i) {
        const auto at = static_cast<size_t>(t * stride + i);
        const double factor = i < width ? 1 + 0.5 * std::log(1.0 + intervals) : 1;
        if (factor == 1) {
          ASSERT_EQ(after[at], before[at]) << t << ", " << i;
        } else {
          ASSERT_NEAR(after[at], factor * before[at], rounding * std::abs(factor * before[at])) << t << ", " << i;
        }
      }
    }
  });
}

}  // namespace
}  // namespace caravel::kernels
