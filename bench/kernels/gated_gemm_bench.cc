#include <vector>

#include "kernels/gemm.h"
#include "op_bench.h"

namespace caravel::kernels {
namespace {

/// The feed-forward's first half: gate and up with the activation, Q4_1.
void run(benchmark::State& state, Activation activation) {
  CpuDevice device;
  auto stream = device.make_stream();
  const int64_t in = state.range(0);
  const int64_t width = state.range(1);
  const int64_t tokens = state.range(2);
  const std::vector<std::byte> rows(static_cast<size_t>(width * row_bytes(DType::kQ4_1, in)), std::byte{0x11});
  const std::vector<WeightRows> parts = {{rows.data(), DType::kQ4_1, width}, {rows.data(), DType::kQ4_1, width}};
  const PackedWeight weight = pack_weight(*stream, parts, in);
  const Buffer input_memory = device.allocate(gemm_input_bytes(device, InputForm::kQ8, tokens, in));
  const GemmInput input = weight.input(tokens, input_memory.address());
  const DeviceArray x(*stream, tokens * in, 0.5F);
  quantize_input(*stream, f32_tensor(x.data(), tokens, in), input);
  stream->synchronize();
  const Buffer out_memory = device.allocate(gemm_input_bytes(device, InputForm::kQ8, tokens, width));
  const GemmInput out{.form = InputForm::kQ8, .tokens = tokens, .width = width, .data = out_memory.address()};
  time_op(
      state, device, static_cast<double>(weight.bytes()), static_cast<double>(2 * width * in * tokens),
      [&] {
        gated_gemm(*stream, {.weight = &weight, .input = input, .activation = activation, .out = out});
        stream->synchronize();
      },
      &Ceilings::int8_gmac_per_second);
}

BENCHMARK_CAPTURE(run, smollm2_135m, Activation::kSilu)
    ->ArgNames({"in", "width", "tokens"})
    ->ArgsProduct({{576}, {1536}, {1, 32, 512}})
    ->UseRealTime();
BENCHMARK_CAPTURE(run, llama_8b, Activation::kSilu)
    ->ArgNames({"in", "width", "tokens"})
    ->ArgsProduct({{4096}, {14336}, {1, 32, 512}})
    ->UseRealTime();
BENCHMARK_CAPTURE(run, gemma3_270m, Activation::kGeluTanh)
    ->ArgNames({"in", "width", "tokens"})
    ->ArgsProduct({{640}, {2048}, {1, 32, 512}})
    ->UseRealTime();

}  // namespace
}  // namespace caravel::kernels

BENCHMARK_MAIN();
