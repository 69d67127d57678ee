#include <vector>

#include "kernels/layer_norm.h"
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
  const size_t copy_bytes = form == InputForm::kF32 ? 0 : gemm_input_bytes(device, form, tokens, width);
  const Buffer memory = device.allocate(copy_bytes);
  GemmInput copy;
  if (copy_bytes > 0) copy = {.form = form, .tokens = tokens, .width = width, .data = memory.address()};
  time_op(state, device, static_cast<double>(2 * x.size() * sizeof(float) + copy_bytes), 0, [&] {
    const Tensor rows = f32_tensor(x.data(), tokens, width);
    layer_norm(*stream, {.x = rows, .weight = weight.data(), .bias = weight.data(), .out = rows, .copy = copy});
    stream->synchronize();
  });
}

BENCHMARK_CAPTURE(run, q8, InputForm::kQ8)->ArgNames({"width", "tokens"})->Args({384, 512})->UseRealTime();
BENCHMARK_CAPTURE(run, f32, InputForm::kF32)->ArgNames({"width", "tokens"})->Args({384, 512})->UseRealTime();

}  // namespace
}  // namespace caravel::kernels

BENCHMARK_MAIN();
