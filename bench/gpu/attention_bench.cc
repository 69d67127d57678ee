// How near attention comes to what the GPU can: decode by the share of the bandwidth that plain loads read, prefill by
// the products in a second. Shapes are a layer's of a model; keys and values lie in blocks of 16 in random order. A
// graph has a launch for each of several caches, together far larger than the L2 cache; it is replayed.
//
//   gpu_attention_bench [MODEL|TYPE...]     TYPE: of keys and values. By default llama-8b and bf16

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <random>
#include <string_view>
#include <tuple>
#include <vector>

#include "caravel/error.h"
#include "device/cuda_backend.h"
#include "device/upload.h"
#include "kernels/ceilings.h"
#include "kernels/gemm.h"
#include "kernels/paged_attention.h"
#include "some_words.h"

namespace caravel::kernels {
namespace {

constexpr KvDtype kTypes[] = {KvDtype::kF32, KvDtype::kF16, KvDtype::kBF16, KvDtype::kInt8, KvDtype::kFp8};

struct Shape {
  std::string_view model;
  int heads;
  int kv_heads;
  int head_dim;
  int value_dim;  // as KvLayer's

  int64_t width() const { return int64_t{heads} * head_dim; }
  int64_t value_width() const { return int64_t{heads} * (value_dim > 0 ? value_dim : head_dim); }
};
constexpr Shape kShapes[] = {
    {"llama-8b", 32, 8, 128, 0}, {"deepseek-v2-lite", 16, 1, 576, 512}, {"deepseek-v3", 128, 1, 576, 512}};
constexpr int kBlockSize = 16;
constexpr int64_t kMaxElements = int64_t{1024} * 128 * 576;  // of queries
constexpr size_t kBeyondCaches = size_t{256} << 20;
constexpr size_t kPoolBytes = size_t{9} << 30;

/// Finite numbers of any type: below 2 of 16 bits, with their bytes, too.
std::vector<std::byte> some_bytes(size_t count) { return some_words(count, 0x83ffU); }

struct Case {
  std::string_view what;
  int64_t sequences;
  int64_t queries;  // of each, at the end of its context
  int64_t context;
  int64_t shared = 0;  // tokens from the first on that all sequences have in the same blocks
  bool told = true;    // attention is told so
};

class Bench {
 public:
  explicit Bench(Device& device)
      : device_(device),
        stream_(device.make_stream()),
        ceilings_(measure_ceilings(device)),
        pool_(device.allocate(kPoolBytes)),
        q_(upload<std::byte>(*stream_, some_bytes(static_cast<size_t>(kMaxElements) * 2))),
        out_(device.allocate(static_cast<size_t>(kMaxElements) * 2)) {
    const Buffer piece = upload<std::byte>(*stream_, some_bytes(size_t{64} << 20));
    for (size_t at = 0; at < kPoolBytes; at += piece.size()) {
      stream_->copy(pool_.address() + at, piece.address(), piece.size());
    }
    stream_->synchronize();
    fmt::print("{{\"device\": \"{}\", \"read_gb_per_s\": {:.0f}}}\n", device.name(), ceilings_.read_gb_per_second);
  }

  void run(const Shape& shape, const Case& c, KvDtype dtype) {
    const int64_t of_sequence = (c.context + kBlockSize - 1) / kBlockSize;
    const auto common = static_cast<int32_t>(c.shared / kBlockSize);
    const int64_t blocks = c.sequences * (of_sequence - common) + common;
    const auto bytes_of = shape.value_dim > 0 ? shared_layer_bytes : kv_layer_bytes;
    const int64_t block_bytes = bytes_of(device_, kBlockSize, shape.kv_heads, shape.head_dim, dtype);
    const auto cache_bytes = static_cast<size_t>(blocks * block_bytes);
    if (cache_bytes > kPoolBytes) return;
    const size_t copies = c.queries > 1 ? 1
                                        : std::clamp<size_t>((kBeyondCaches + cache_bytes - 1) / cache_bytes, 2,
                                                             kPoolBytes / cache_bytes);
    std::vector<int32_t> order(static_cast<size_t>(blocks));
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), std::mt19937(3));
    std::vector<int32_t> table;
    for (auto own = order.begin() + common; own != order.end(); own += of_sequence - common) {
      table.insert(table.end(), order.begin(), order.begin() + common);
      table.insert(table.end(), own, own + of_sequence - common);
    }
    std::vector<int32_t> neighbours(static_cast<size_t>(c.sequences), common);
    neighbours[0] = 0;
    std::vector<int32_t> starts;
    for (int64_t s = 0; s <= c.sequences; ++s) starts.push_back(static_cast<int32_t>(s * c.queries));
    const std::vector<int32_t> contexts(static_cast<size_t>(c.sequences), static_cast<int32_t>(c.context));
    const Buffer table_there = upload<int32_t>(*stream_, table);
    const Buffer starts_there = upload<int32_t>(*stream_, starts);
    const Buffer contexts_there = upload<int32_t>(*stream_, contexts);
    const Buffer neighbours_there = upload<int32_t>(*stream_, neighbours);
    const int64_t tokens = c.sequences * c.queries;
    const Buffer workspace = device_.allocate(
        paged_attention_workspace(device_, tokens, c.context, shape.heads, shape.head_dim, shape.value_dim));
    const double seconds = time(copies, [&](size_t copy) {
      paged_attention(
          *stream_,
          {.q = make_tensor(q_.address(), product_dtype(device_), tokens, shape.width()),
           .heads = shape.heads,
           .scale = 1.0F / std::sqrt(static_cast<float>(shape.head_dim)),
           .cache = {pool_.address() + copy * cache_bytes, block_bytes, kBlockSize, shape.kv_heads, shape.head_dim,
                     dtype, shape.value_dim},
           .batch = {.num_seqs = static_cast<int>(c.sequences),
                     .query_start = starts_there.address<int32_t>(),
                     .context_len = contexts_there.address<int32_t>(),
                     .block_table = table_there.address<int32_t>(),
                     .block_table_stride = of_sequence,
                     .shared_blocks = common > 0 && c.told ? neighbours_there.address<int32_t>() : nullptr},
           .settled = true,
           .max_context = c.context,
           .workspace = workspace.address(),
           .out = {.form = InputForm::kBf16, .tokens = tokens, .width = shape.value_width(), .data = out_.address()}});
    });
    const double read = static_cast<double>(cache_bytes) / 1e9 / seconds;
    const double pairs =
        static_cast<double>(tokens) * (static_cast<double>(c.context) - static_cast<double>(c.queries - 1) / 2);
    fmt::print(
        "{{\"attention\": \"{}\", \"model\": \"{}\", \"kv\": \"{}\", \"batch\": {}, \"queries\": {}, \"context\": {}, "
        "\"shared\": {}, "
        "\"us\": {:.2f}, "
        "\"gb_per_s\": {:.0f}, \"share_of_read\": {:.3f}, \"tflop_per_s\": {:.1f}}}\n",
        c.what, shape.model, kv_dtype_name(dtype), c.sequences, c.queries, c.context, c.shared, 1e6 * seconds, read,
        read / ceilings_.read_gb_per_second,
        2 * pairs * static_cast<double>(shape.width() + shape.value_width()) / 1e12 / seconds);
    std::fflush(stdout);
  }

 private:
  /// Of one launch: the median of some replays, of several graphs each.
  template <typename Enqueue>
  double time(size_t copies, const Enqueue& enqueue) {
    using Clock = std::chrono::steady_clock;
    stream_->begin_capture();
    for (size_t copy = 0; copy < copies; ++copy) enqueue(copy);
    const std::unique_ptr<CommandList> graph = stream_->end_capture();
    constexpr int kGraphs = 4;
    std::vector<double> seconds;
    for (int repeat = 0; repeat < 8; ++repeat) {
      const Clock::time_point start = Clock::now();
      for (int i = 0; i < kGraphs; ++i) stream_->run(*graph);
      stream_->synchronize();
      if (repeat > 0) seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    }
    std::nth_element(seconds.begin(), seconds.begin() + seconds.size() / 2, seconds.end());
    return seconds[seconds.size() / 2] / kGraphs / static_cast<double>(copies);
  }

  Device& device_;
  std::unique_ptr<Stream> stream_;
  Ceilings ceilings_;
  Buffer pool_;
  Buffer q_;
  Buffer out_;
};

void run_shape(Bench& bench, const Shape& shape, KvDtype dtype) {
  // Of keys that hold their values a row takes ten times the products.
  const bool shared = shape.value_dim > 0;
  for (const int64_t sequences : {1, 8, 64, 256}) {
    for (const int64_t context : {1024, 2048, 4096, 8192}) bench.run(shape, {"decode", sequences, 1, context}, dtype);
  }
  for (const auto& [sequences, context, common] :
       {std::tuple<int64_t, int64_t, int64_t>{32, 4096, 3072}, {64, 4096, 3072}, {256, 1024, 768}, {256, 4096, 3072}}) {
    for (const bool told : {false, true}) {
      bench.run(shape, {told ? "decode together" : "decode apart", sequences, 1, context, common, told}, dtype);
    }
  }
  for (const int64_t context : {shared ? 512 : 2048, shared ? 1024 : 8192}) {
    bench.run(shape, {"prefill", 1, context, context}, dtype);
  }
  bench.run(shape, {"prefill", 1, shared ? 512 : 2048, shared ? 1024 : 8192}, dtype);
}

int run_all(const std::vector<std::string_view>& names) {
  std::vector<Shape> shapes;
  std::vector<KvDtype> types;
  for (const std::string_view name : names) {
    const size_t known = shapes.size() + types.size();
    std::ranges::copy_if(kShapes, std::back_inserter(shapes), [&](const Shape& shape) { return shape.model == name; });
    std::ranges::copy_if(kTypes, std::back_inserter(types), [&](KvDtype type) { return kv_dtype_name(type) == name; });
    if (shapes.size() + types.size() > known) continue;
    fmt::print(stderr, "there is no model and no type of keys and values {}\n", name);
    return 2;
  }
  if (shapes.empty()) shapes = {kShapes[0]};
  if (types.empty()) types = {KvDtype::kBF16};
  const std::unique_ptr<Device> device = open_cuda(0);
  Bench bench(*device);
  for (const Shape& shape : shapes) {
    for (const KvDtype type : types) run_shape(bench, shape, type);
  }
  return 0;
}

}  // namespace
}  // namespace caravel::kernels

int main(int argc, char** argv) {
  try {
    return caravel::kernels::run_all({argv + 1, argv + argc});
  } catch (const caravel::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
