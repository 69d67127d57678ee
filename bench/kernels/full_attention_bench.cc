#include <cmath>
#include <vector>

#include "kernels/full_attention.h"
#include "op_bench.h"

namespace caravel::kernels {
namespace {

/// 512 tokens in sequences of equal length, with the heads of MiniLM or of BERT's base size.
void run(benchmark::State& state) {
  CpuDevice device;
  auto stream = device.make_stream();
  constexpr int64_t kTokens = 512;
  const int64_t length = state.range(0);
  const int heads = 12;
  const auto head_dim = static_cast<int>(state.range(1));
  const int64_t width = int64_t{heads} * head_dim;
  const DeviceArray qkv(*stream, kTokens * 3 * width, 0.1F);
  const DeviceArray out(*stream, kTokens * width, 0.0F);
  std::vector<int32_t> starts;
  for (int64_t t = 0; t <= kTokens; t += length) starts.push_back(static_cast<int32_t>(t));
  const DeviceArray starts_there(*stream, starts);
  const Buffer workspace =
      device.allocate(full_attention_workspace(device, InputForm::kF32, kTokens, length, heads, head_dim));
  const double bytes = static_cast<double>((qkv.size() + out.size()) * sizeof(float));
  const double macs = 2.0 * static_cast<double>(kTokens * length * width);
  time_op(state, device, bytes, macs, [&] {
    full_attention(*stream, {.qkv = f32_tensor(qkv.data(), kTokens, 3 * width),
                             .heads = heads,
                             .head_dim = head_dim,
                             .scale = 1.0F / std::sqrt(static_cast<float>(head_dim)),
                             .starts = starts_there.data(),
                             .num_seqs = static_cast<int>(starts.size()) - 1,
                             .max_length = length,
                             .workspace = workspace.address(),
                             .out = f32_input(out.data(), kTokens, width)});
    stream->synchronize();
  });
}

BENCHMARK(run)->ArgNames({"length", "head_dim"})->ArgsProduct({{16, 64, 256, 512}, {32, 64}})->UseRealTime();

}  // namespace
}  // namespace caravel::kernels

BENCHMARK_MAIN();
