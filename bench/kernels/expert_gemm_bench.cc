#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "device/cpu/cpu_device.h"
#include "device/device_array.h"
#include "kernels/ceilings.h"
#include "kernels/expert_gemm.h"
#include "kernels/expert_rows.h"
#include "kernels/expert_table.h"
#include "kernels/gemm.h"

namespace caravel::kernels {
namespace {

/// A layer's experts.
struct Shape {
  const char* name;
  int64_t hidden;
  int64_t width;  // of an expert
  RouterRule rule;
};

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> kShapes = {
      {"olmoe-1b-7b", 2048, 1024, {.experts = 64, .per_token = 8}},
      {"qwen3-30b-a3b", 2048, 768, {.experts = 128, .per_token = 8, .renormalized = true}},
  };
  return kShapes;
}

/// Each of `experts` has `parts` matrices [rows, in].
PackedWeight some_experts(Stream& stream, DType dtype, int parts, int64_t rows, int64_t in, int experts) {
  std::vector<WeightRows> stacked(static_cast<size_t>(parts), {.dtype = dtype, .rows = rows});
  uint64_t key = 0;
  const auto stack_of = [&](int) {
    for (WeightRows& part : stacked) part.dummy = DummyRows{.key = ++key};
    return std::span<const WeightRows>(stacked);
  };
  return make_weight_packer(stream.device())->pack(experts, stack_of, in, false);
}

std::vector<float> some_floats(int64_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = normal(random);
  return values;
}

/// What a GEMM reads, in memory of its own.
struct Input {
  Input(Device& device, InputForm form, int64_t tokens, int64_t width)
      : memory(device.allocate(gemm_input_bytes(device, form, tokens, width))),
        rows({.form = form, .tokens = tokens, .width = width, .data = memory.address()}) {}
  Buffer memory;
  GemmInput rows;
};

/// Two grouped GEMMs, and what lies between them.
class Experts {
 public:
  Experts(Stream& stream, const Shape& shape, DType dtype)
      : stream_(stream),
        shape_(shape),
        gate_up_(some_experts(stream, dtype, 2, shape.width, shape.hidden, shape.rule.experts)),
        down_(some_experts(stream, dtype, 1, shape.hidden, shape.width, shape.rule.experts)) {}

  InputForm form() const { return gate_up_.input_form(); }
  /// What one expert's matrices take.
  double expert_bytes() const { return static_cast<double>(gate_up_.expert_bytes() + down_.expert_bytes()); }

  void run(const GemmInput& input, const GemmInput& between, const ExpertTable& table, float* out) const {
    gated_expert_gemm(stream_, {.weight = &gate_up_, .input = input, .table = table, .out = between});
    expert_gemm(
        stream_,
        {.weight = &down_, .input = between, .table = table, .out = f32_tensor(out, table.row_count(), shape_.hidden)});
  }

 private:
  Stream& stream_;
  Shape shape_;
  PackedWeight gate_up_;
  PackedWeight down_;
};

/// From the normed rows of some tokens to what is added to the residual stream: by tables.
class Tables {
 public:
  Tables(Stream& stream, const Shape& shape, const Experts& experts, int64_t tokens)
      : stream_(stream),
        shape_(shape),
        experts_(experts),
        tokens_(tokens),
        router_(some_experts(stream, DType::kBF16, 1, shape.rule.experts, shape.hidden, 1)),
        logits_(stream, tokens * shape.rule.experts, 0.0F),
        table_memory_(stream.device().allocate(expert_table_bytes(tokens, shape.rule))),
        table_(expert_table(table_memory_.address(), tokens, shape.rule)),
        input_(stream.device(), experts.form(), table_.row_count(), shape.hidden),
        between_(stream.device(), experts.form(), table_.row_count(), shape.width),
        rows_(stream, table_.row_count() * shape.hidden, 0.0F),
        out_(stream, tokens * shape.hidden, 0.0F) {}

  void choose(float* x) {
    gemm(stream_, {.weight = &router_,
                   .input = f32_input(x, tokens_, shape_.hidden),
                   .out = f32_tensor(logits_.data(), tokens_, shape_.rule.experts)});
    choose_experts(
        stream_,
        {.logits = f32_tensor(logits_.data(), tokens_, shape_.rule.experts), .rule = shape_.rule, .table = table_});
  }
  void spread(float* x) {
    sort_by_expert(stream_, table_);
    spread_rows(stream_, {.x = f32_tensor(x, tokens_, shape_.hidden), .table = table_, .out = input_.rows});
  }
  void join() {
    join_rows(stream_, {.rows = f32_tensor(rows_.data(), table_.row_count(), shape_.hidden),
                        .table = table_,
                        .accumulate = true,
                        .out = f32_tensor(out_.data(), tokens_, shape_.hidden)});
  }
  void run(float* x) {
    choose(x);
    spread(x);
    experts_.run(input_.rows, between_.rows, table_, rows_.data());
    join();
  }
  /// Rows of each expert that the tokens of `x` choose.
  std::vector<int32_t> counts(float* x) {
    choose(x);
    std::vector<int32_t> counts(static_cast<size_t>(shape_.rule.experts));
    for (const int32_t e : download(stream_, table_.chosen, static_cast<size_t>(table_.row_count()))) ++counts[e];
    return counts;
  }

 private:
  Stream& stream_;
  Shape shape_;
  const Experts& experts_;
  int64_t tokens_;
  PackedWeight router_;
  DeviceArray<float> logits_;
  Buffer table_memory_;
  ExpertTable table_;
  Input input_;
  Input between_;
  DeviceArray<float> rows_;
  DeviceArray<float> out_;
};

/// The same by a one-hot tensor [tokens, experts, capacity], which rows are multiplied by on their way in and out (the
/// einsum form that DeepSpeed-Inference's tables replaced, SC'22, section V). No token is dropped, so `capacity` is
/// what the expert with most rows has, and all are padded to it. What makes the tensor and transposes rows is not
/// counted.
class OneHot {
 public:
  OneHot(Stream& stream, const Shape& shape, const Experts& experts, int64_t tokens, int64_t capacity)
      : stream_(stream),
        shape_(shape),
        experts_(experts),
        tokens_(tokens),
        places_(shape.rule.experts * capacity),
        x_(some_experts(stream, DType::kF32, 1, shape.hidden, tokens, 1)),
        results_(some_experts(stream, DType::kF32, 1, shape.hidden, places_, 1)),
        mask_(stream, tokens * places_, 0.0F),
        spread_(stream, places_ * shape.hidden, 0.5F),
        rows_(stream, places_ * shape.hidden, 0.0F),
        out_(stream, tokens * shape.hidden, 0.0F),
        input_(stream.device(), experts.form(), places_, shape.hidden),
        between_(stream.device(), experts.form(), places_, shape.width) {
    std::vector<int32_t> row_begin;
    for (int e = 0; e <= shape.rule.experts; ++e) row_begin.push_back(static_cast<int32_t>(e * capacity));
    row_begin_ = upload<int32_t>(stream, row_begin);
    table_ = {.tokens = places_, .experts = shape.rule.experts, .per_token = 1};
    table_.row_begin = row_begin_.address<int32_t>();
  }

  void spread() {
    gemm(stream_, {.weight = &x_,
                   .input = f32_input(mask_.data(), places_, tokens_),
                   .out = f32_tensor(spread_.data(), places_, shape_.hidden)});
    quantize_input(stream_, f32_tensor(spread_.data(), places_, shape_.hidden), input_.rows);
  }
  void join() {
    gemm(stream_, {.weight = &results_,
                   .input = f32_input(mask_.data(), tokens_, places_),
                   .accumulate = true,
                   .out = f32_tensor(out_.data(), tokens_, shape_.hidden)});
  }
  void run() {
    spread();
    experts_.run(input_.rows, between_.rows, table_, rows_.data());
    join();
  }

 private:
  Stream& stream_;
  Shape shape_;
  const Experts& experts_;
  int64_t tokens_;
  int64_t places_;        // of all experts
  PackedWeight x_;        // [hidden, tokens]
  PackedWeight results_;  // [hidden, places]
  DeviceArray<float> mask_;
  DeviceArray<float> spread_;
  DeviceArray<float> rows_;
  DeviceArray<float> out_;
  Input input_;
  Input between_;
  Buffer row_begin_;
  ExpertTable table_;
};

void run(benchmark::State& state, const Shape& shape, DType dtype, int64_t tokens) {
  CpuDevice device;
  const auto stream = device.make_stream();
  static const Ceilings kCeilings = measure_ceilings(device);
  const Experts experts(*stream, shape, dtype);
  Tables tables(*stream, shape, experts, tokens);
  // Steps whose tokens differ, so that few tokens' experts are not in the caches from the step before.
  const int64_t steps = tokens < 32 ? 24 : 1;
  const DeviceArray x(*stream, some_floats(steps * tokens * shape.hidden));
  const auto of_step = [&](int64_t step) { return x.data() + step * tokens * shape.hidden; };
  int64_t capacity = 0;
  double read = 0;  // bytes of the experts that have rows
  for (int64_t step = 0; step < steps; ++step) {
    for (const int32_t rows : tables.counts(of_step(step))) {
      capacity = std::max<int64_t>(capacity, rows);
      if (rows > 0) read += experts.expert_bytes() / static_cast<double>(steps);
    }
  }
  OneHot one_hot(*stream, shape, experts, tokens, capacity);
  /// The best time of each step, of which the mean counts.
  struct Times {
    explicit Times(int64_t steps) : best(static_cast<size_t>(steps), 1e30) {}
    double mean() const { return std::accumulate(best.begin(), best.end(), 0.0) / static_cast<double>(best.size()); }
    std::vector<double> best;
  };
  const auto time = [&](Times& times, const auto& body) {
    for (size_t step = 0; step < times.best.size(); ++step) {
      const Clock::time_point start = Clock::now();
      body(of_step(static_cast<int64_t>(step)));
      stream->synchronize();
      times.best[step] = std::min(times.best[step], seconds_since(start));
    }
  };
  Times whole_times(steps);
  Times around_times(steps);
  Times one_hot_whole_times(1);
  Times one_hot_around_times(1);
  for (auto _ : state) {
    time(whole_times, [&](float* rows) { tables.run(rows); });
    time(around_times, [&](float* rows) {
      tables.choose(rows);
      tables.spread(rows);
      tables.join();
    });
    time(one_hot_whole_times, [&](float*) { one_hot.run(); });
    time(one_hot_around_times, [&](float*) {
      one_hot.spread();
      one_hot.join();
    });
  }
  const double whole = whole_times.mean();
  const double around = around_times.mean();
  const auto macs = static_cast<double>(3 * tokens * shape.rule.per_token * shape.hidden * shape.width);
  const double peak = is_quantized(dtype) ? kCeilings.int8_gmac_per_second : kCeilings.f32_gmac_per_second;
  state.counters["step_us"] = 1e6 * whole;
  state.counters["around_us"] = 1e6 * around;  // router, tables and copies
  state.counters["%around"] = 100 * around / whole;
  state.counters["%read"] = 100 * read / 1e9 / (whole - around) / kCeilings.read_gb_per_second;
  state.counters["%peak"] = 100 * macs / 1e9 / (whole - around) / peak;
  state.counters["one_hot_step"] = one_hot_whole_times.mean() / whole;  // times as long
  state.counters["one_hot_around"] = one_hot_around_times.mean() / around;
}

void register_all() {
  for (const Shape& shape : shapes()) {
    for (const DType dtype : {DType::kQ4_K, DType::kQ8_0, DType::kBF16}) {
      for (const int64_t tokens : {1, 8, 32, 64, 512}) {
        const std::string name =
            std::string(shape.name) + "/" + std::string(dtype_info(dtype).name) + "/tokens:" + std::to_string(tokens);
        benchmark::RegisterBenchmark(name.c_str(), run, shape, dtype, tokens)
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
      }
    }
  }
}

}  // namespace
}  // namespace caravel::kernels

int main(int argc, char** argv) {
  caravel::kernels::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
