// How near to the memory's speed the GEMMs of Llama-3.1-8B come: each of its shapes, for some numbers of tokens and
// types of weights. A graph has a launch for each of several copies of a weight, together far larger than the L2 cache;
// it is replayed. Then the four of a layer one after the other, as a decode step has them: a graph of several layers.
// Shares are of what plain loads read in the same run. torch_gemm.py prints the same of cuBLASLt.
//
//   gpu_gemm_bench [DTYPE...] [SHAPE...] [TOKENS...]     by default BF16 Q8_0 Q4_K, all shapes and numbers of tokens;
//                                                        with a shape no layers

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "caravel/error.h"
#include "device/cuda_backend.h"
#include "device/upload.h"
#include "graph_time.h"
#include "kernels/ceilings.h"
#include "kernels/gemm.h"
#include "some_words.h"
#include "type_or_tokens.h"

namespace caravel::kernels {
namespace {

struct Shape {
  std::string_view name;
  std::vector<int64_t> rows;  // of each part
  int64_t in;
  bool gated = false;
  bool accumulate = false;
};

const Shape kShapes[] = {{"qkv", {4096, 1024, 1024}, 4096},
                         {"attention output", {4096}, 4096, false, true},
                         {"gate and up", {14336, 14336}, 4096, true},
                         {"down", {4096}, 14336, false, true},
                         {"head", {128256}, 4096}};
constexpr size_t kLayerShapes = 4;
constexpr int64_t kTokens[] = {1, 8, 16, 32, 64, 128, 256, 2048};
constexpr int64_t kMaxTokens = 2048;
constexpr size_t kBeyondCaches = size_t{256} << 20;

/// Finite numbers of any type: f16 and bf16 words between 2^-8 and 1 by their high bytes, any levels.
std::vector<std::byte> some_bytes(size_t count) { return some_words(count, 0x80ffU); }

class Bench {
 public:
  explicit Bench(Device& device)
      : device_(device),
        stream_(device.make_stream()),
        ceilings_(measure_ceilings(device)),
        input_(upload<std::byte>(*stream_, some_bytes(static_cast<size_t>(kMaxTokens) * 14336 * 4))),
        results_(device.allocate(static_cast<size_t>(kMaxTokens) * 32768 * 4)) {
    fmt::print("{{\"device\": \"{}\", \"read_gb_per_s\": {:.0f}}}\n", device.name(), ceilings_.read_gb_per_second);
  }

  void run(const Shape& shape, DType dtype, const std::vector<int64_t>& token_counts) {
    const size_t bytes = packed_bytes_of(shape, dtype);
    std::vector<PackedWeight> copies(std::max<size_t>(2, (kBeyondCaches + bytes - 1) / bytes));
    for (PackedWeight& copy : copies) copy = pack(shape, dtype);
    for (const int64_t tokens : token_counts) {
      if (static_cast<size_t>(tokens * copies[0].out()) * 4 > results_.size()) continue;
      const double seconds = graph_seconds(*stream_, copies.size(), [&] {
        for (const PackedWeight& copy : copies) enqueue(shape, copy, tokens);
      });
      print(shape.name, dtype, tokens, seconds, copies[0].bytes(), copies[0].out() * shape.in);
    }
  }

  void run_layer(DType dtype, const std::vector<int64_t>& token_counts) {
    constexpr size_t kLayers = 4;
    const std::span<const Shape> shapes(kShapes, kLayerShapes);
    std::vector<PackedWeight> weights;  // [layer][shape]
    size_t bytes = 0;
    int64_t elements = 0;
    for (size_t i = 0; i < kLayers * kLayerShapes; ++i) weights.push_back(pack(shapes[i % kLayerShapes], dtype));
    for (size_t i = 0; i < kLayerShapes; ++i) {
      bytes += weights[i].bytes();
      elements += weights[i].out() * shapes[i].in;
    }
    for (const int64_t tokens : token_counts) {
      const double seconds = graph_seconds(*stream_, kLayers, [&] {
        for (size_t i = 0; i < weights.size(); ++i) enqueue(shapes[i % kLayerShapes], weights[i], tokens);
      });
      print("layer", dtype, tokens, seconds, bytes, elements);
    }
  }

 private:
  size_t packed_bytes_of(const Shape& shape, DType dtype) const {
    size_t bytes = 0;
    for (const int64_t rows : shape.rows) bytes += packed_bytes(device_, dtype, rows, shape.in);
    return bytes;
  }

  PackedWeight pack(const Shape& shape, DType dtype) {
    const size_t bytes = packed_bytes_of(shape, dtype);
    if (source_.size() < bytes) source_ = some_bytes(bytes);
    std::vector<WeightRows> stacked;
    const std::byte* from = source_.data();
    const int64_t most_rows = std::ranges::max(shape.rows);
    const std::vector<float> scales(static_cast<size_t>(most_rows * row_scales(dtype, shape.in)), 1.0F);
    for (const int64_t rows : shape.rows) {
      stacked.push_back({from, dtype, rows, 0, scales.data()});
      from += rows * row_bytes(dtype, shape.in);
    }
    return pack_weight(*stream_, stacked, shape.in);
  }

  void enqueue(const Shape& shape, const PackedWeight& weight, int64_t tokens) {
    const GemmInput input = weight.input(tokens, input_.address());
    if (shape.gated) {
      const GemmInput out{
          .form = weight.input_form(), .tokens = tokens, .width = weight.out() / 2, .data = results_.address()};
      gated_gemm(*stream_, {.weight = &weight, .input = input, .out = out});
      return;
    }
    const DType dtype = shape.accumulate || shape.name == "head" ? DType::kF32 : product_dtype(device_);
    gemm(*stream_, {.weight = &weight,
                    .input = input,
                    .accumulate = shape.accumulate,
                    .out = make_tensor(results_.address(), dtype, tokens, weight.out())});
  }

  void print(std::string_view name, DType dtype, int64_t tokens, double seconds, size_t bytes, int64_t elements) const {
    const double read = static_cast<double>(bytes) / 1e9 / seconds;
    fmt::print(
        "{{\"gemm\": \"{}\", \"dtype\": \"{}\", \"tokens\": {}, \"us\": {:.2f}, \"gb_per_s\": {:.0f}, "
        "\"share_of_read\": {:.3f}, \"tflop_per_s\": {:.1f}}}\n",
        name, dtype_info(dtype).name, tokens, 1e6 * seconds, read, read / ceilings_.read_gb_per_second,
        2.0 * static_cast<double>(elements * tokens) / 1e12 / seconds);
    std::fflush(stdout);
  }

  Device& device_;
  std::unique_ptr<Stream> stream_;
  Ceilings ceilings_;
  Buffer input_;
  Buffer results_;
  std::vector<std::byte> source_;
};

int run_all(const std::vector<std::string_view>& words) {
  std::vector<DType> types;
  std::vector<Shape> shapes;
  std::vector<int64_t> token_counts;
  for (const std::string_view word : words) {
    const auto* const shape = std::ranges::find(kShapes, word, &Shape::name);
    if (shape != std::end(kShapes)) {
      shapes.push_back(*shape);
    } else if (!take_type_or_tokens(word, kMaxTokens, types, token_counts)) {
      fmt::print(stderr, "{} is no type, no shape and no number of tokens from 1 to {}\n", word, kMaxTokens);
      return 2;
    }
  }
  const bool layers = shapes.empty();
  if (types.empty()) types = {DType::kBF16, DType::kQ8_0, DType::kQ4_K};
  if (shapes.empty()) shapes.assign(std::begin(kShapes), std::end(kShapes));
  if (token_counts.empty()) token_counts.assign(std::begin(kTokens), std::end(kTokens));
  const std::unique_ptr<Device> device = open_cuda(0);
  Bench bench(*device);
  for (const DType type : types) {
    for (const Shape& shape : shapes) bench.run(shape, type, token_counts);
    if (layers) bench.run_layer(type, token_counts);
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
