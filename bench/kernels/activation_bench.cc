#include <vector>

#include "kernels/activation.h"
#include "op_bench.h"

namespace caravel::kernels {
namespace {

void run(benchmark::State& state, Activation activation) {
  CpuDevice device;
  auto stream = device.make_stream();
  const int64_t width = state.range(0);
  const int64_t tokens = state.range(1);
  const std::vector<float> gate_up(static_cast<size_t>(tokens * 2 * width), 0.5F);
  const size_t out_bytes = gemm_input_bytes(InputForm::kQ8, tokens, width);
  const Buffer memory = device.allocate(out_bytes);
  const GemmInput out = make_gemm_input(InputForm::kQ8, tokens, width, memory.data());
  time_op(state, device, static_cast<double>(gate_up.size() * sizeof(float) + out_bytes), 0, [&] {
    gated_activation(
        *stream, {.gate_up = gate_up.data(), .activation = activation, .tokens = tokens, .width = width, .out = out});
    stream->synchronize();
  });
}

BENCHMARK_CAPTURE(run, silu, Activation::kSilu)
    ->ArgNames({"width", "tokens"})
    ->ArgsProduct({{1536, 14336}, {1, 512}})
    ->UseRealTime();
BENCHMARK_CAPTURE(run, gelu_tanh, Activation::kGeluTanh)
    ->ArgNames({"width", "tokens"})
    ->ArgsProduct({{2048}, {1, 512}})
    ->UseRealTime();

}  // namespace
}  // namespace caravel::kernels

BENCHMARK_MAIN();
