#include <vector>

#include "kernels/kv_cache.h"
#include "op_bench.h"

namespace caravel::kernels {
namespace {

/// Args: heads, KV heads, head_dim, tokens.
void rotary(benchmark::State& state) {
  CpuDevice device;
  auto stream = device.make_stream();
  const int heads = static_cast<int>(state.range(0));
  const int kv_heads = static_cast<int>(state.range(1));
  const int head_dim = static_cast<int>(state.range(2));
  const int64_t tokens = state.range(3);
  constexpr int kBlockSize = 16;
  const int64_t width = int64_t{heads + 2 * kv_heads} * head_dim;
  const int64_t bytes = kv_layer_bytes(device, kBlockSize, kv_heads, head_dim, KvDtype::kF16);
  const int64_t blocks = (tokens + kBlockSize - 1) / kBlockSize;
  const Buffer cache = device.allocate(static_cast<size_t>(blocks * bytes));
  const DeviceArray qkv(*stream, tokens * width, 0.5F);
  const DeviceArray cos_sin(*stream, tokens * head_dim, 0.7F);
  std::vector<int64_t> slots;
  for (int64_t t = 0; t < tokens; ++t) slots.push_back(t);
  const DeviceArray slots_there(*stream, slots);
  // Q is read and written, K and V are read as f32 and written as f16.
  const double moved = static_cast<double>(tokens * head_dim) * (heads * 8 + 2 * kv_heads * 6);
  time_op(state, device, moved, 0, [&] {
    rotary_cache(*stream, {.qkv = f32_tensor(qkv.data(), tokens, width),
                           .cos_sin = cos_sin.data(),
                           .rotary_dim = head_dim,
                           .slots = slots_there.data(),
                           .heads = heads,
                           .cache = {cache.address(), bytes, kBlockSize, kv_heads, head_dim, KvDtype::kF16}});
    stream->synchronize();
  });
}

BENCHMARK(rotary)
    ->ArgNames({"heads", "kv_heads", "head_dim", "tokens"})
    ->Args({9, 3, 64, 1})
    ->Args({9, 3, 64, 512})
    ->Args({4, 1, 256, 512})
    ->Args({32, 8, 128, 512})
    ->UseRealTime();

}  // namespace
}  // namespace caravel::kernels

BENCHMARK_MAIN();
