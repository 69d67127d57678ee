// What the ops around the experts' GEMMs take, of Qwen3-30B-A3B's layers: route() whole and its parts, join_rows() with
// the next layer's norm. A graph has a layer's launches for each of several layers; it is replayed.
//
//   gpu_router_bench

#include <fmt/format.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "device/cuda_backend.h"
#include "device/upload.h"
#include "graph_time.h"
#include "kernels/expert_rows.h"
#include "kernels/gemm.h"
#include "kernels/route.h"
#include "some_words.h"

namespace caravel::kernels {
namespace {

constexpr int64_t kHidden = 2048;
constexpr RouterRule kRule = {.experts = 128, .per_token = 8, .renormalized = true};
constexpr size_t kLayers = 16;
constexpr int64_t kMaxTokens = 2048;

class Bench {
 public:
  explicit Bench(Device& device) : device_(device), stream_(device.make_stream()) {
    const std::vector<std::byte> words = some_words(kMaxTokens * kHidden * 4, 0x80ffU);
    x_ = upload<std::byte>(*stream_, words);
    norm_ = upload<std::byte>(*stream_, std::span(words).first(kHidden * 4));
    const WeightRows rows = {words.data(), DType::kF32, kRule.experts};
    for (size_t i = 0; i < kLayers; ++i) routers_.push_back(pack_weight(*stream_, {&rows, 1}, kHidden));
    workspace_ = device.allocate(route_workspace(device, kMaxTokens, kHidden, kRule.experts, false));
    logits_ = device.allocate(kMaxTokens * kRule.experts * 4);
    table_ = device.allocate(expert_table_bytes(kMaxTokens, kRule));
    rows_ = device.allocate(gemm_input_bytes(device, InputForm::kBf16, kMaxTokens * kRule.per_token, kHidden));
    next_ = device.allocate(normed_input_bytes(device, InputForm::kBf16, kMaxTokens, kHidden));
  }

  void run(int64_t tokens) {
    const ExpertTable table = expert_table(table_.address(), tokens, kRule);
    const Tensor x = f32_tensor(x_.address<float>(), tokens, kHidden);
    const Tensor logits = f32_tensor(logits_.address<float>(), tokens, kRule.experts);
    const GemmInput rows = {
        .form = InputForm::kBf16, .tokens = table.row_count(), .width = kHidden, .data = rows_.address()};
    const auto time = [&](std::string_view op, const auto& enqueue) {
      const double seconds = graph_seconds(*stream_, kLayers, [&] {
        for (const PackedWeight& router : routers_) enqueue(router);
      });
      fmt::print("{{\"op\": \"{}\", \"tokens\": {}, \"us\": {:.2f}}}\n", op, tokens, 1e6 * seconds);
    };
    time("route", [&](const PackedWeight& router) {
      route(*stream_, {.x = x,
                       .norm_weight = norm_.address<float>(),
                       .router = &router,
                       .rule = kRule,
                       .workspace = workspace_.address(),
                       .logits = logits,
                       .table = table,
                       .rows = rows});
    });
    time("choose",
         [&](const PackedWeight&) { choose_experts(*stream_, {.logits = logits, .rule = kRule, .table = table}); });
    time("sort", [&](const PackedWeight&) { sort_by_expert(*stream_, table); });
    time("spread", [&](const PackedWeight&) { spread_rows(*stream_, {.x = x, .table = table, .out = rows}); });
    const GemmInput next = {
        .form = InputForm::kBf16, .normed = true, .tokens = tokens, .width = kHidden, .data = next_.address()};
    time("join", [&](const PackedWeight&) {
      join_rows(*stream_, {.rows = make_tensor(rows_.address(), DType::kBF16, table.row_count(), kHidden),
                           .table = table,
                           .accumulate = true,
                           .out = x,
                           .next = {.weight = norm_.address<float>(), .out = next}});
    });
  }

 private:
  Device& device_;
  std::unique_ptr<Stream> stream_;
  Buffer x_, norm_, workspace_, logits_, table_, rows_, next_;
  std::vector<PackedWeight> routers_;
};

}  // namespace
}  // namespace caravel::kernels

int main() {
  const std::unique_ptr<caravel::Device> device = caravel::open_cuda(0);
  caravel::kernels::Bench bench(*device);
  for (const int64_t tokens : {1, 8, 16, 32, 64, 128, 256, 2048}) bench.run(tokens);
}
