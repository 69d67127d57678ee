#include <cmath>
#include <vector>

#include "kernels/paged_attention.h"
#include "op_bench.h"

namespace caravel::kernels {
namespace {

struct Shape {
  int heads;
  int kv_heads;
  int head_dim;
  int layers;
  int value_dim = 0;  // as KvLayer's
};
constexpr Shape kSmolLm2{9, 3, 64, 30};
constexpr Shape kGemma3{4, 1, 256, 18};  // 270M
constexpr Shape kLlama8b{32, 8, 128, 32};
constexpr Shape kDeepSeekV2Lite{16, 1, 576, 27, 512};

/// One step of `sequences` sequences with `queries` new tokens at the end of `context`, in every layer of the model, so
/// that the cache is as far from the processor as it is in use.
void run(benchmark::State& state, const Shape& shape, int64_t sequences, int64_t queries, int64_t context) {
  CpuDevice device;
  auto stream = device.make_stream();
  constexpr int kBlockSize = 16;
  const int64_t blocks = (context + kBlockSize - 1) / kBlockSize;
  const bool shared = shape.value_dim > 0;
  const int value_dim = shared ? shape.value_dim : shape.head_dim;
  const auto bytes_of = shared ? shared_layer_bytes : kv_layer_bytes;
  const int64_t layer_bytes = bytes_of(device, kBlockSize, shape.kv_heads, shape.head_dim, KvDtype::kF16);
  const int64_t block_bytes = layer_bytes * shape.layers;
  std::vector<uint16_t> stored(static_cast<size_t>(sequences * blocks * block_bytes) / 2);
  for (size_t i = 0; i < stored.size(); ++i) stored[i] = static_cast<uint16_t>(0x3000 + i % 1021);
  const Buffer cache = upload<uint16_t>(*stream, stored);

  const int64_t width = int64_t{shape.heads} * shape.head_dim;
  const int64_t tokens = sequences * queries;
  const DeviceArray q(*stream, tokens * width, 0.1F);
  const int64_t out_width = int64_t{shape.heads} * value_dim;
  const DeviceArray out(*stream, tokens * out_width, 0.0F);
  std::vector<int32_t> starts;
  std::vector<int32_t> contexts(static_cast<size_t>(sequences), static_cast<int32_t>(context));
  std::vector<int32_t> table;
  for (int64_t s = 0; s <= sequences; ++s) starts.push_back(static_cast<int32_t>(s * queries));
  // Blocks in the order in which a busy pool hands them out: neighbours far apart.
  for (int64_t i = 0; i < sequences * blocks; ++i)
    table.push_back(static_cast<int32_t>(i * 7919 % (sequences * blocks)));
  const DeviceArray starts_there(*stream, starts);
  const DeviceArray contexts_there(*stream, contexts);
  const DeviceArray table_there(*stream, table);
  const Buffer workspace =
      device.allocate(paged_attention_workspace(device, tokens, context, shape.heads, shape.head_dim, shape.value_dim));
  // Keys of a query: the context but for the queries after it.
  const double pairs =
      static_cast<double>(tokens) * (static_cast<double>(context) - static_cast<double>(queries - 1) / 2);
  const double kv_bytes = static_cast<double>(sequences * context) * shape.kv_heads * (shared ? 2 : 4) * shape.head_dim;
  time_op(state, device, kv_bytes * shape.layers, pairs * static_cast<double>((width + out_width) * shape.layers), [&] {
    for (int layer = 0; layer < shape.layers; ++layer) {
      paged_attention(*stream, {.q = f32_tensor(q.data(), tokens, width),
                                .heads = shape.heads,
                                .scale = 1.0F / std::sqrt(static_cast<float>(shape.head_dim)),
                                .cache = {cache.address() + layer * layer_bytes, block_bytes, kBlockSize,
                                          shape.kv_heads, shape.head_dim, KvDtype::kF16, shape.value_dim},
                                .batch = {.num_seqs = static_cast<int>(sequences),
                                          .query_start = starts_there.data(),
                                          .context_len = contexts_there.data(),
                                          .block_table = table_there.data(),
                                          .block_table_stride = blocks},
                                .max_context = context,
                                .workspace = workspace.address(),
                                .out = f32_input(out.data(), tokens, out_width)});
    }
    stream->synchronize();
  });
}

void decode(benchmark::State& state, Shape shape) { run(state, shape, state.range(1), 1, state.range(0)); }
void prefill(benchmark::State& state, Shape shape) { run(state, shape, 1, 512, state.range(0)); }

BENCHMARK_CAPTURE(decode, smollm2, kSmolLm2)
    ->ArgNames({"context", "sequences"})
    ->Args({512, 1})
    ->Args({4096, 1})
    ->Args({512, 32})
    ->UseRealTime();
BENCHMARK_CAPTURE(decode, gemma3_270m, kGemma3)->ArgNames({"context", "sequences"})->Args({4096, 1})->UseRealTime();
BENCHMARK_CAPTURE(decode, llama_8b, kLlama8b)->ArgNames({"context", "sequences"})->Args({4096, 1})->UseRealTime();
BENCHMARK_CAPTURE(decode, deepseek_v2_lite, kDeepSeekV2Lite)
    ->ArgNames({"context", "sequences"})
    ->Args({4096, 1})
    ->UseRealTime();
BENCHMARK_CAPTURE(prefill, deepseek_v2_lite, kDeepSeekV2Lite)->ArgName("context")->Arg(512)->UseRealTime();
BENCHMARK_CAPTURE(prefill, smollm2, kSmolLm2)->ArgName("context")->Arg(512)->Arg(4096)->UseRealTime();
BENCHMARK_CAPTURE(prefill, gemma3_270m, kGemma3)->ArgName("context")->Arg(512)->UseRealTime();
BENCHMARK_CAPTURE(prefill, llama_8b, kLlama8b)->ArgName("context")->Arg(512)->UseRealTime();

}  // namespace
}  // namespace caravel::kernels

BENCHMARK_MAIN();
