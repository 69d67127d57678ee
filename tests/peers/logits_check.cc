// The whole distribution at every position of given tokens, for bench/peers/correctness.py: reads [count, id...] as
// int32 from standard input, writes f32 [count, vocab] to standard output, until the input ends.
//   logits_check MODEL MAX_TOKENS

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "device/cpu/cpu_device.h"
#include "device/device_array.h"
#include "format/model_path.h"
#include "format/weight_source.h"
#include "kernels/kv_cache.h"
#include "model/config.h"
#include "model/decoder.h"

namespace caravel {
namespace {

constexpr int kBlockSize = 16;
constexpr int64_t kSlice = 32;  // rows of the LM head at a time

template <typename T>
std::vector<T> numbers_from(T first, int count) {
  std::vector<T> numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

int run(const char* path, int max_tokens) {
  CpuDevice device;
  const auto stream = device.make_stream();
  const auto source = format::open_weights(format::resolve_model(path));
  const model::ModelConfig config = model::read_config(*source);
  const model::KvLayout layout = model::kv_layout(device, config, kBlockSize, kernels::KvDtype::kF16);
  model::DeviceSink sink(device);
  const auto weights = std::make_shared<const model::ModelWeights>(model::load_weights(sink, *source, config));
  model::Decoder decoder(device, config, weights, layout, max_tokens, max_tokens);

  // Every group has blocks of its own, in order: group g's block i is g * blocks + i.
  const int blocks = (max_tokens + kBlockSize - 1) / kBlockSize;
  const auto groups = static_cast<int>(layout.groups.size());
  const Buffer pool = device.allocate(static_cast<size_t>(layout.block_bytes() * blocks * groups));
  std::vector<DeviceArray<int32_t>> tables;
  std::vector<DeviceArray<int64_t>> slots;
  for (int group = 0; group < groups; ++group) {
    tables.emplace_back(*stream, numbers_from<int32_t>(group * blocks, blocks));
    slots.emplace_back(*stream, numbers_from<int64_t>(int64_t{group} * blocks * kBlockSize, max_tokens));
  }
  const DeviceArray positions(*stream, numbers_from<int32_t>(0, max_tokens));
  const DeviceArray logits(*stream, kSlice * config.vocab_size, 0.0F);
  int32_t count = 0;
  while (std::fread(&count, sizeof count, 1, stdin) == 1) {
    if (count < 1 || count > max_tokens) throw fail<InvalidArgument>("{} tokens; give 1 to {}", count, max_tokens);
    std::vector<int32_t> ids(static_cast<size_t>(count));
    if (std::fread(ids.data(), sizeof(int32_t), ids.size(), stdin) != ids.size()) {
      throw InvalidArgument("the input ends in the middle of a sequence");
    }
    const DeviceArray ids_there(*stream, ids);
    const DeviceArray query_start(*stream, std::vector<int32_t>{0, count});
    const DeviceArray context_len(*stream, 1, count);
    model::ForwardBatch batch;
    batch.tokens = count;
    batch.num_seqs = 1;
    batch.token_ids = ids_there.data();
    batch.positions = positions.data();
    batch.query_start = query_start.data();
    batch.context_len = context_len.data();
    batch.max_context = count;
    batch.block_table_stride = blocks;
    for (int group = 0; group < groups; ++group) {
      batch.groups[group] = {slots[static_cast<size_t>(group)].data(), tables[static_cast<size_t>(group)].data()};
    }
    decoder.forward(*stream, batch, {pool.address(), kBlockSize, kernels::KvDtype::kF16});
    for (int64_t row = 0; row < count; row += kSlice) {
      const int64_t rows = std::min<int64_t>(kSlice, count - row);
      decoder.logits(*stream, positions.data() + row, rows, logits.data());
      const auto values = download<float>(*stream, logits.data(), static_cast<size_t>(rows * config.vocab_size));
      std::fwrite(values.data(), sizeof(float), values.size(), stdout);
    }
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace caravel

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: logits_check MODEL MAX_TOKENS\n");
    return 2;
  }
  try {
    return caravel::run(argv[1], std::atoi(argv[2]));
  } catch (const std::exception& error) {
    fmt::print(stderr, "logits_check: {}\n", error.what());
    return 1;
  }
}
