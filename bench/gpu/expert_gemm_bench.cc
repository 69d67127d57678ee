// How near to the memory's speed the grouped GEMMs of Qwen3-30B-A3B's experts come, for some numbers of tokens that a
// router without favourites has sent to 8 of 128 experts. A graph has a launch for each of several tables, so that each
// finds other experts than the one before; it is replayed. Then both one after the other, as a layer has them. Shares
// are of what plain loads read in the same run, of the matrices of experts that have rows.
//
//   gpu_expert_gemm_bench [DTYPE...] [TOKENS...]     by default BF16, all numbers of tokens

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <string_view>
#include <vector>

#include "caravel/error.h"
#include "device/cuda_backend.h"
#include "device/upload.h"
#include "graph_time.h"
#include "kernels/ceilings.h"
#include "kernels/expert_gemm.h"
#include "kernels/gemm.h"
#include "some_words.h"
#include "type_or_tokens.h"

namespace caravel::kernels {
namespace {

constexpr int64_t kHidden = 2048;
constexpr int64_t kWidth = 768;  // of an expert
constexpr int kExperts = 128;
constexpr int kPerToken = 8;
constexpr int64_t kTokens[] = {1, 8, 64, 256, 512, 1024, 2048};
constexpr int64_t kMaxTokens = 2048;
constexpr int kTables = 16;

/// Each of the experts has `parts` matrices [rows, in].
PackedWeight some_experts(Device& device, DType dtype, int parts, int64_t rows, int64_t in) {
  std::vector<WeightRows> stacked(static_cast<size_t>(parts), {.dtype = dtype, .rows = rows});
  uint64_t key = 0;
  const auto stack_of = [&](int) {
    for (WeightRows& part : stacked) part.dummy = DummyRows{.key = ++key};
    return std::span<const WeightRows>(stacked);
  };
  return make_weight_packer(device)->pack(kExperts, stack_of, in, false);
}

/// Which rows are whose, as some router would have it.
struct Table {
  Buffer row_begin;
  int64_t touched = 0;  // experts
  int64_t most = 0;     // rows of one
};

class Bench {
 public:
  explicit Bench(Device& device)
      : device_(device),
        stream_(device.make_stream()),
        ceilings_(measure_ceilings(device)),
        input_(upload<std::byte>(*stream_, some_words(kMaxTokens * kPerToken * kHidden * 4, 0x80ffU))),
        between_(upload<std::byte>(*stream_, some_words(kMaxTokens * kPerToken * kWidth * 4, 0x80ffU))),
        results_(device.allocate(kMaxTokens * kPerToken * kHidden * 4)) {
    fmt::print("{{\"device\": \"{}\", \"read_gb_per_s\": {:.0f}}}\n", device.name(), ceilings_.read_gb_per_second);
  }

  void run(DType dtype, const std::vector<int64_t>& token_counts) {
    const PackedWeight gate_up = some_experts(device_, dtype, 2, kWidth, kHidden);
    const PackedWeight down = some_experts(device_, dtype, 1, kHidden, kWidth);
    for (const int64_t tokens : token_counts) {
      std::vector<Table> tables;
      for (unsigned i = 0; i < kTables; ++i) tables.push_back(some_table(tokens, i));
      time("gate and up", dtype, tokens, tables, gate_up.expert_bytes(),
           [&](const Table& table) { enqueue_gate_up(gate_up, table_of(table, tokens)); });
      time("down", dtype, tokens, tables, down.expert_bytes(),
           [&](const Table& table) { enqueue_down(down, table_of(table, tokens), false); });
      time("both", dtype, tokens, tables, gate_up.expert_bytes() + down.expert_bytes(), [&](const Table& table) {
        enqueue_gate_up(gate_up, table_of(table, tokens));
        enqueue_down(down, table_of(table, tokens), true);
      });
    }
  }

 private:
  /// One token's choices are those of no other table.
  Table some_table(int64_t tokens, unsigned number) {
    std::mt19937 random(tokens == 1 ? 0 : number);
    std::vector<int32_t> counts(kExperts);
    std::vector<int> order(kExperts);
    std::iota(order.begin(), order.end(), 0);
    for (int64_t t = 0; t < tokens; ++t) {
      std::shuffle(order.begin(), order.end(), random);
      const size_t first = tokens == 1 ? number * kPerToken % kExperts : 0;
      for (size_t k = 0; k < kPerToken; ++k) ++counts[static_cast<size_t>(order[first + k])];
    }
    std::vector<int32_t> begin(kExperts + 1);
    std::partial_sum(counts.begin(), counts.end(), begin.begin() + 1);
    return {.row_begin = upload<int32_t>(*stream_, begin),
            .touched = kExperts - std::ranges::count(counts, 0),
            .most = std::ranges::max(counts)};
  }
  static ExpertTable table_of(const Table& table, int64_t tokens) {
    ExpertTable to{.tokens = tokens, .experts = kExperts, .per_token = kPerToken};
    to.row_begin = table.row_begin.address<int32_t>();
    return to;
  }

  void enqueue_gate_up(const PackedWeight& weight, const ExpertTable& table) {
    const GemmInput out{
        .form = weight.input_form(), .tokens = table.row_count(), .width = kWidth, .data = between_.address()};
    gated_expert_gemm(
        *stream_,
        {.weight = &weight, .input = weight.input(table.row_count(), input_.address()), .table = table, .out = out});
  }
  void enqueue_down(const PackedWeight& weight, const ExpertTable& table, bool settled) {
    expert_gemm(*stream_, {.weight = &weight,
                           .input = weight.input(table.row_count(), between_.address()),
                           .table = table,
                           .table_is_settled = settled,
                           .out = make_tensor(results_.address(), product_dtype(device_), table.row_count(), kHidden)});
  }

  /// Prints the best of some replays, of several graphs each.
  template <typename Enqueue>
  void time(std::string_view name, DType dtype, int64_t tokens, const std::vector<Table>& tables, size_t expert_bytes,
            const Enqueue& enqueue) {
    const double best = graph_seconds(*stream_, kTables, [&] {
      for (const Table& table : tables) enqueue(table);
    });
    double touched = 0;
    int64_t most = 0;
    for (const Table& table : tables) {
      touched += static_cast<double>(table.touched) / kTables;
      most = std::max(most, table.most);
    }
    const double read = touched * static_cast<double>(expert_bytes) / 1e9 / best;
    const double elements =
        static_cast<double>(expert_bytes) / dtype_info(dtype).block_bytes * dtype_info(dtype).block_elements;
    fmt::print(
        "{{\"experts\": \"{}\", \"dtype\": \"{}\", \"tokens\": {}, \"touched\": {:.1f}, \"most_rows\": {}, \"us\": "
        "{:.2f}, \"gb_per_s\": {:.0f}, \"share_of_read\": {:.3f}, \"tflop_per_s\": {:.1f}}}\n",
        name, dtype_info(dtype).name, tokens, touched, most, 1e6 * best, read, read / ceilings_.read_gb_per_second,
        2.0 * elements * static_cast<double>(tokens * kPerToken) / 1e12 / best);
    std::fflush(stdout);
  }

  Device& device_;
  std::unique_ptr<Stream> stream_;
  Ceilings ceilings_;
  Buffer input_;
  Buffer between_;
  Buffer results_;
};

int run_all(const std::vector<std::string_view>& words) {
  std::vector<DType> types;
  std::vector<int64_t> token_counts;
  for (const std::string_view word : words) {
    if (!take_type_or_tokens(word, kMaxTokens, types, token_counts)) {
      fmt::print(stderr, "{} is no type and no number of tokens from 1 to {}\n", word, kMaxTokens);
      return 2;
    }
  }
  if (types.empty()) types = {DType::kBF16};
  if (token_counts.empty()) token_counts.assign(std::begin(kTokens), std::end(kTokens));
  const std::unique_ptr<Device> device = open_cuda(0);
  Bench bench(*device);
  for (const DType type : types) bench.run(type, token_counts);
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
