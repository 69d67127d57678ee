#include <random>
#include <vector>

#include "kernels/logits.h"
#include "op_bench.h"

namespace caravel::kernels {
namespace {

struct Logits {
  Logits(Stream& stream, int64_t rows_count, int64_t row_width)
      : rows(rows_count), width(row_width), values(stream, random_values(rows * width)) {}
  static std::vector<float> random_values(int64_t count) {
    std::mt19937 engine(1);
    std::normal_distribution<float> normal(0.0F, 4.0F);
    std::vector<float> random;
    for (int64_t i = 0; i < count; ++i) random.push_back(normal(engine));
    return random;
  }
  double bytes() const { return static_cast<double>(values.size() * sizeof(float)); }
  Tensor tensor() const { return f32_tensor(values.data(), rows, width); }
  int64_t rows;
  int64_t width;
  DeviceArray<float> values;
};

void normalize(benchmark::State& state) {
  CpuDevice device;
  auto stream = device.make_stream();
  const Logits logits(*stream, state.range(1), state.range(0));
  const DeviceArray out(*stream, logits.rows, 0.0F);
  const DeviceArray best(*stream, logits.rows, 0);
  time_op(state, device, logits.bytes(), 0, [&] {
    log_sum_exp(*stream, {.logits = logits.tensor(), .log_sum_exp = out.data(), .argmax = best.data()});
    stream->synchronize();
  });
}

void best_k(benchmark::State& state) {
  CpuDevice device;
  auto stream = device.make_stream();
  const Logits logits(*stream, state.range(1), state.range(0));
  constexpr int kBest = 50;
  const DeviceArray values(*stream, logits.rows * kBest, 0.0F);
  const DeviceArray indices(*stream, logits.rows * kBest, 0);
  time_op(state, device, logits.bytes(), 0, [&] {
    top_k(*stream, {.logits = logits.tensor(), .k = kBest, .values = values.data(), .indices = indices.data()});
    stream->synchronize();
  });
}

BENCHMARK(normalize)->ArgNames({"width", "rows"})->ArgsProduct({{49152, 262144}, {1, 32}})->UseRealTime();
BENCHMARK(best_k)->ArgNames({"width", "rows"})->ArgsProduct({{49152, 262144}, {1, 32}})->UseRealTime();

}  // namespace
}  // namespace caravel::kernels

BENCHMARK_MAIN();
