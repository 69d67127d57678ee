#include <vector>

#include "kernels/rms_norm.h"
#include "op_bench.h"

namespace caravel::kernels {
namespace {

void run(benchmark::State& state, InputForm form) {
  CpuDevice device;
  auto stream = device.make_stream();
  const int64_t width = state.range(0);
  const int64_t tokens = state.range(1);
  const DeviceArray x(*stream, tokens * width, 0.5F);
  const DeviceArray weight(*stream, width, 1.0F);
  const size_t out_bytes = gemm_input_bytes(device, form, tokens, width);
  const Buffer memory = device.allocate(out_bytes);
  const GemmInput out{.form = form, .tokens = tokens, .width = width, .data = memory.address()};
  time_op(state, device, static_cast<double>(x.size() * sizeof(float) + out_bytes), 0, [&] {
    rms_norm(*stream, {.x = f32_tensor(x.data(), tokens, width), .weight = weight.data(), .out = out});
    stream->synchronize();
  });
}

BENCHMARK_CAPTURE(run, q8, InputForm::kQ8)
    ->ArgNames({"width", "tokens"})
    ->ArgsProduct({{576, 640, 4096}, {1, 512}})
    ->UseRealTime();
BENCHMARK_CAPTURE(run, f32, InputForm::kF32)
    ->ArgNames({"width", "tokens"})
    ->ArgsProduct({{576, 640, 4096}, {1, 512}})
    ->UseRealTime();

}  // namespace
}  // namespace caravel::kernels

BENCHMARK_MAIN();
