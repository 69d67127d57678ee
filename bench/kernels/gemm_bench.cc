#include <benchmark/benchmark.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "device/cpu/cpu_device.h"
#include "device/device_array.h"
#include "kernels/ceilings.h"
#include "kernels/gemm.h"

namespace caravel::kernels {
namespace {

/// A model's matrices [out, in] of one layer, or its head; `copies` of them, so that together they do not fit a cache.
struct Shape {
  const char* name;
  std::vector<std::pair<int64_t, int64_t>> matrices;
  int copies;
};

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> kShapes = {
      {"smollm2-135m", {{960, 576}, {576, 576}, {3072, 576}, {576, 1536}}, 30},
      {"smollm2-135m-head", {{49152, 576}}, 2},
      {"gemma3-270m", {{1536, 640}, {640, 1024}, {4096, 640}, {640, 2048}}, 18},
      {"gemma3-270m-head", {{262144, 640}}, 1},
      {"llama-8b", {{6144, 4096}, {4096, 4096}, {28672, 4096}, {4096, 14336}}, 1},
  };
  return kShapes;
}

const Ceilings& ceilings(CpuDevice& device) {
  static const Ceilings kCeilings = measure_ceilings(device);
  return kCeilings;
}

/// Any bytes with finite scales will do: the kernels take the same time for all values but NaN and denormals.
std::vector<std::byte> some_rows(DType dtype, int64_t rows, int64_t width) {
  std::vector<std::byte> bytes(static_cast<size_t>(rows * row_bytes(dtype, width)));
  uint32_t state = 1;
  for (std::byte& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::byte>(state >> 24 & 0x3f);
  }
  return bytes;
}

void run_gemm(benchmark::State& state, const Shape& shape, DType dtype, int64_t tokens, Isa isa) {
  CpuDevice device(0, isa);
  const auto stream = device.make_stream();
  struct Layer {
    PackedWeight weight;
    Buffer memory;
    GemmInput input;
    Buffer out;
  };
  std::vector<Layer> layers;
  double bytes = 0;
  double macs = 0;
  for (const auto& [out, in] : shape.matrices) {
    const std::vector<std::byte> rows = some_rows(dtype, out, in);
    const std::vector<float> scales(static_cast<size_t>(out * row_scales(dtype, in)), 1.0F);
    const WeightRows weight{rows.data(), dtype, out, 0, scales.data()};
    const DeviceArray x(*stream, tokens * in, 0.5F);
    for (int copy = 0; copy < shape.copies; ++copy) {
      Layer& layer = layers.emplace_back();
      layer.weight = pack_weight(*stream, {&weight, 1}, in);
      layer.memory = device.allocate(gemm_input_bytes(device, layer.weight.input_form(), tokens, in));
      layer.input = layer.weight.input(tokens, layer.memory.address());
      layer.out = device.allocate(static_cast<size_t>(tokens * out) * 4);
      quantize_input(*stream, f32_tensor(x.data(), tokens, in), layer.input);
      stream->synchronize();
      bytes += static_cast<double>(layer.weight.bytes());
      macs += static_cast<double>(tokens * out * in);
    }
  }
  double best = 1e30;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    for (const Layer& layer : layers) {
      gemm(*stream, {.weight = &layer.weight,
                     .input = layer.input,
                     .out = f32_tensor(layer.out.address<float>(), tokens, layer.weight.out())});
    }
    stream->synchronize();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  const Ceilings& top = ceilings(device);
  const double peak = is_quantized(dtype) ? top.int8_gmac_per_second : top.f32_gmac_per_second;
  state.counters["GB/s"] = bytes / 1e9 / best;
  state.counters["GMAC/s"] = macs / 1e9 / best;
  state.counters["%read"] = 100 * bytes / 1e9 / best / top.read_gb_per_second;
  state.counters["%peak"] = 100 * macs / 1e9 / best / peak;
  state.counters["best_ms"] = 1e3 * best;
}

void run_pack(benchmark::State& state, DType dtype) {
  CpuDevice device;
  const auto stream = device.make_stream();
  const std::vector<std::byte> rows = some_rows(dtype, 8192, 1536);
  const std::vector<float> scales(static_cast<size_t>(8192 * row_scales(dtype, 1536)), 1.0F);
  const WeightRows weight{rows.data(), dtype, 8192, 0, scales.data()};
  for (auto _ : state) benchmark::DoNotOptimize(pack_weight(*stream, {&weight, 1}, 1536));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(rows.size()));
}

void register_all() {
  for (int type = 0; type < kDTypeCount; ++type) {
    const auto dtype = static_cast<DType>(type);
    const std::string name(dtype_info(dtype).name);
    benchmark::RegisterBenchmark(("pack/" + name).c_str(), run_pack, dtype)->UseRealTime();
    for (const Shape& shape : shapes()) {
      bool fits = true;
      for (const auto& [out, in] : shape.matrices) fits = fits && in % dtype_info(dtype).block_elements == 0;
      if (!fits) continue;
      for (const Isa isa : available_isas()) {
        for (const int64_t tokens : {1, 2, 4, 6, 8, 16, 24, 32, 128, 512}) {
          const std::string label = std::string(shape.name) + "/" + name + "/" + std::string(isa_name(isa)) +
                                    "/tokens:" + std::to_string(tokens);
          benchmark::RegisterBenchmark(label.c_str(), run_gemm, shape, dtype, tokens, isa)
              ->UseRealTime()
              ->Unit(benchmark::kMillisecond);
        }
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
