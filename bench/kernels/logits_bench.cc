#include <random>
#include <vector>

#include "kernels/logits.h"
#include "op_bench.h"

namespace caravel::kernels {
namespace {

struct Logits {
  Logits(int64_t rows_count, int64_t row_width) : rows(rows_count), width(row_width) {
    std::mt19937 engine(1);
    std::normal_distribution<float> normal(0.0F, 4.0F);
    for (int64_t i = 0; i < rows * width; ++i) values.push_back(normal(engine));
  }
  double bytes() const { return static_cast<double>(values.size() * sizeof(float)); }
  Tensor tensor() const { return f32_tensor(values.data(), rows, width); }
  int64_t rows;
  int64_t width;
  std::vector<float> values;
};

void normalize(benchmark::State& state) {
  CpuDevice device;
  auto stream = device.make_stream();
  const Logits logits(state.range(1), state.range(0));
  std::vector<float> out(static_cast<size_t>(logits.rows));
  std::vector<int32_t> best(out.size());
  time_op(state, device, logits.bytes(), 0, [&] {
    log_sum_exp(*stream, {.logits = logits.tensor(), .log_sum_exp = out.data(), .argmax = best.data()});
    stream->synchronize();
  });
}

void best_k(benchmark::State& state) {
  CpuDevice device;
  auto stream = device.make_stream();
  const Logits logits(state.range(1), state.range(0));
  constexpr int kBest = 50;
  std::vector<float> values(static_cast<size_t>(logits.rows * kBest));
  std::vector<int32_t> indices(values.size());
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
