// How near to the memory's speed the GEMMs of Llama-3.1-8B come: each of its shapes, for some numbers of tokens and
// types of weights. A graph has a launch for each of several copies of a weight, together far larger than the L2 cache;
// it is replayed. Shares are of what plain loads read in the same run.
//
//   gpu_gemm_bench [DTYPE...]     by default BF16 Q8_0 Q4_K

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "caravel/error.h"
#include "device/cuda_backend.h"
#include "device/upload.h"
#include "kernels/ceilings.h"
#include "kernels/gemm.h"

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
constexpr int64_t kTokens[] = {1, 8, 16, 32, 64, 128, 256, 2048};
constexpr int64_t kMaxTokens = 2048;
constexpr size_t kBeyondCaches = size_t{256} << 20;

/// Bytes that make finite numbers of any type: f16 and bf16 words between 2^-8 and 1 by their high bytes, any levels.
std::vector<std::byte> some_bytes(size_t count) {
  std::vector<std::byte> bytes(count);
  uint32_t state = 12345;
  for (size_t i = 0; i + 2 <= count; i += 2) {
    state = state * 1664525U + 1013904223U;
    const auto word = static_cast<uint16_t>((state >> 16 & 0x80ffU) | 0x3c00U);
    std::memcpy(bytes.data() + i, &word, sizeof(word));
  }
  return bytes;
}

struct Copy {
  PackedWeight weight;
  Buffer out;
};

class Bench {
 public:
  explicit Bench(Device& device)
      : device_(device),
        stream_(device.make_stream()),
        ceilings_(measure_ceilings(device)),
        input_(upload<std::byte>(*stream_, some_bytes(static_cast<size_t>(kMaxTokens) * 14336 * 4))) {
    fmt::print("{{\"device\": \"{}\", \"read_gb_per_s\": {:.0f}}}\n", device.name(), ceilings_.read_gb_per_second);
  }

  void run(const Shape& shape, DType dtype) {
    size_t bytes = 0;
    int64_t out = 0;
    for (const int64_t rows : shape.rows) {
      bytes += packed_bytes(device_, dtype, rows, shape.in);
      out += rows;
    }
    if (source_.size() < bytes) source_ = some_bytes(bytes);
    std::vector<WeightRows> stacked;
    const std::byte* from = source_.data();
    for (const int64_t rows : shape.rows) {
      stacked.push_back({from, dtype, rows});
      from += rows * row_bytes(dtype, shape.in);
    }
    std::vector<Copy> copies(std::max<size_t>(2, (kBeyondCaches + bytes - 1) / bytes));
    for (Copy& copy : copies) copy.weight = pack_weight(*stream_, stacked, shape.in);
    const Buffer results = device_.allocate(static_cast<size_t>(kMaxTokens * std::min<int64_t>(out, 32768)) * 4);
    for (const int64_t tokens : kTokens) {
      if (static_cast<size_t>(tokens * out) * 4 > results.size()) continue;
      const double seconds = time(shape, copies, tokens, results);
      const double read = static_cast<double>(copies[0].weight.bytes()) / 1e9 / seconds;
      const double products = 2.0 * static_cast<double>(out) * static_cast<double>(shape.in * tokens);
      fmt::print(
          "{{\"gemm\": \"{}\", \"dtype\": \"{}\", \"tokens\": {}, \"us\": {:.2f}, \"gb_per_s\": {:.0f}, "
          "\"share_of_read\": {:.3f}, \"tflop_per_s\": {:.1f}}}\n",
          shape.name, dtype_info(dtype).name, tokens, 1e6 * seconds, read, read / ceilings_.read_gb_per_second,
          products / 1e12 / seconds);
      std::fflush(stdout);
    }
  }

 private:
  void enqueue(const Shape& shape, const PackedWeight& weight, int64_t tokens, const Buffer& results) {
    const GemmInput input = weight.input(tokens, input_.address());
    if (shape.gated) {
      const GemmInput out{
          .form = weight.input_form(), .tokens = tokens, .width = weight.out() / 2, .data = results.address()};
      gated_gemm(*stream_, {.weight = &weight, .input = input, .out = out});
      return;
    }
    const DType dtype = shape.accumulate || shape.name == "head" ? DType::kF32 : product_dtype(device_);
    gemm(*stream_, {.weight = &weight,
                    .input = input,
                    .accumulate = shape.accumulate,
                    .out = make_tensor(results.address(), dtype, tokens, weight.out())});
  }

  /// Of one launch: the best of some replays, of several graphs each.
  double time(const Shape& shape, const std::vector<Copy>& copies, int64_t tokens, const Buffer& results) {
    using Clock = std::chrono::steady_clock;
    stream_->begin_capture();
    for (const Copy& copy : copies) enqueue(shape, copy.weight, tokens, results);
    const std::unique_ptr<CommandList> graph = stream_->end_capture();
    constexpr int kGraphs = 8;
    double best = 1e30;
    for (int repeat = 0; repeat < 6; ++repeat) {
      const Clock::time_point start = Clock::now();
      for (int i = 0; i < kGraphs; ++i) stream_->run(*graph);
      stream_->synchronize();
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      if (repeat > 0) best = std::min(best, seconds / kGraphs / static_cast<double>(copies.size()));
    }
    return best;
  }

  Device& device_;
  std::unique_ptr<Stream> stream_;
  Ceilings ceilings_;
  Buffer input_;
  std::vector<std::byte> source_;
};

int run_all(const std::vector<std::string_view>& names) {
  const std::unique_ptr<Device> device = open_cuda(0);
  Bench bench(*device);
  for (const std::string_view name : names) {
    int type = 0;
    while (type < kDTypeCount && dtype_info(static_cast<DType>(type)).name != name) ++type;
    if (type == kDTypeCount) {
      fmt::print(stderr, "there is no type {}\n", name);
      return 2;
    }
    for (const Shape& shape : kShapes) bench.run(shape, static_cast<DType>(type));
  }
  return 0;
}

}  // namespace
}  // namespace caravel::kernels

int main(int argc, char** argv) {
  std::vector<std::string_view> names(argv + 1, argv + argc);
  if (names.empty()) names = {"BF16", "Q8_0", "Q4_K"};
  try {
    return caravel::kernels::run_all(names);
  } catch (const caravel::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
