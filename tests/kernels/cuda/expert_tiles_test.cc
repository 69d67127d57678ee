#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "device/cuda_backend.h"
#include "kernels/cuda/late_copy.h"
#include "kernels/expert_gemm.h"
#include "kernels/expert_table_rig.h"
#include "kernels/gemm.h"
#include "kernels/weight_matrix.h"

namespace caravel::kernels::cuda {
namespace {

using Bytes = std::vector<std::byte>;

/// How many rows each expert gets.
struct ExpertLoad {
  std::string name;
  std::vector<int32_t> counts;
  int per_token = 1;

  int experts() const { return static_cast<int>(counts.size()); }
  std::vector<int32_t> row_begin() const {
    std::vector<int32_t> begin = {0};
    for (const int32_t count : counts) begin.push_back(begin.back() + count);
    return begin;
  }
};

ExpertLoad random_load(int64_t tokens, int experts, int per_token) {
  ExpertLoad load{.name = std::to_string(tokens) + " tokens, " + std::to_string(per_token) + " of " +
                          std::to_string(experts) + " experts",
                  .counts = std::vector<int32_t>(static_cast<size_t>(experts)),
                  .per_token = per_token};
  for (const int32_t expert : random_choice(tokens, experts, per_token, 3)) ++load.counts[static_cast<size_t>(expert)];
  return load;
}

std::vector<ExpertLoad> expert_loads() {
  std::vector<int32_t> last_of_many(300);
  last_of_many.back() = 45;
  return {{"one row of one expert", {1}},
          {"all rows are one expert's", {0, 0, 333, 0}},
          {"the last of many experts has all", last_of_many},
          {"a row on either side of many", {1, 0, 500, 0, 1}},
          {"rows of whole tiles", {64, 128, 0, 256, 8, 16, 32}},
          random_load(1, 128, 8),
          random_load(7, 64, 6),
          random_load(20, 512, 16),
          random_load(64, 128, 8),
          random_load(400, 16, 4),
          random_load(1500, 9, 2)};
}

/// The experts' matrices, of two parts, and inputs.
class ExpertTiles : public testing::TestWithParam<DType> {
 protected:
  static constexpr int64_t kIn = 512;  // two blocks of the longest

  /// A GPU as kernels take it.
  struct Gpu {
    explicit Gpu(int most_capability = kNewestCapability)
        : device(open_cuda(0, most_capability)), stream(device->make_stream()) {}
    std::unique_ptr<Device> device;
    std::unique_ptr<Stream> stream;
  };

  /// What the ops are given for a load.
  struct Given {
    Given(Stream& stream, const ExpertLoad& load, DType dtype, int64_t part_rows)
        : weight(packed(stream, load, dtype, part_rows)),
          row_begin(stream, load.row_begin()),
          rows(load.row_begin().back()),
          bias(stream, random_floats(static_cast<size_t>(2 * part_rows * load.experts()), 7)),
          input(stream, weight.input_form(), random_floats(static_cast<size_t>(rows * kIn), 8), kIn) {
      table = {.tokens = rows / load.per_token, .experts = load.experts(), .per_token = load.per_token};
      table.row_begin = row_begin.data();
    }

    static PackedWeight packed(Stream& stream, const ExpertLoad& load, DType dtype, int64_t part_rows) {
      // As many rows as some experts have; each begins with another one.
      constexpr int64_t kRows = 3001;
      const Bytes bytes = random_rows(dtype, kRows + 2 * part_rows, kIn, 5);
      const std::vector<float> scales = random_scales(dtype, kRows + 2 * part_rows, kIn, 6);
      std::vector<WeightRows> parts(2);
      const auto stack_of = [&](int expert) {
        for (int64_t i = 0; i < 2; ++i) {
          const int64_t row = (2 * expert + i) * part_rows % kRows;
          parts[static_cast<size_t>(i)] = {bytes.data() + row * row_bytes(dtype, kIn), dtype, part_rows, 0,
                                           scales.data() + row * row_scales(dtype, kIn)};
        }
        return std::span<const WeightRows>(parts);
      };
      return make_weight_packer(stream.device())->pack(load.experts(), stack_of, kIn, false);
    }

    PackedWeight weight;
    DeviceArray<int32_t> row_begin;
    int64_t rows;
    DeviceArray<float> bias;
    FormedRows input;
    ExpertTable table;
  };

  void SetUp() override {
    if (const std::string why = why_no_cuda(); !why.empty()) GTEST_SKIP() << why;
  }

  /// Where an op writes, and what is there before.
  static DeviceArray<std::byte> room(Stream& stream, int64_t rows, int64_t width, DType dtype) {
    return unwritten(stream, static_cast<size_t>(rows * row_bytes(dtype, width)));
  }
  static void enqueue_product(Stream& stream, const Given& given, std::byte* out, DType out_dtype, bool settled) {
    expert_gemm(stream, {.weight = &given.weight,
                         .input = given.input.rows,
                         .table = given.table,
                         .table_is_settled = settled,
                         .bias = given.bias.data(),
                         .out = make_tensor(out, out_dtype, given.rows, given.weight.out())});
  }
  static Bytes product(Stream& stream, const Given& given, DType out_dtype) {
    const DeviceArray out = room(stream, given.rows, given.weight.out(), out_dtype);
    enqueue_product(stream, given, out.data(), out_dtype, false);
    return out.values();
  }
  static GemmInput gated_out(std::byte* data, int64_t rows, int64_t width, DType dtype) {
    const InputForm form = dtype == DType::kF32 ? InputForm::kF32 : InputForm::kBf16;
    return {.form = form, .tokens = rows, .width = width, .data = data};
  }
  static Bytes gated(Stream& stream, const Given& given, DType out_dtype) {
    const int64_t width = given.weight.out() / 2;
    const DeviceArray out = room(stream, given.rows, width, out_dtype);
    gated_expert_gemm(stream, {.weight = &given.weight,
                               .input = given.input.rows,
                               .table = given.table,
                               .bias = given.bias.data(),
                               .activation = Activation::kClampedSilu,
                               .out = gated_out(out.data(), given.rows, width, out_dtype)});
    return out.values();
  }

  /// function(expert's weight, its input, its bias, how many rows are before its).
  static void for_each_expert(
      const Given& given, const ExpertLoad& load,
      const std::function<void(const PackedWeight&, const GemmInput&, const float*, int64_t)>& function) {
    int64_t begin = 0;
    for (int e = 0; e < load.experts(); ++e) {
      const int64_t count = load.counts[static_cast<size_t>(e)];
      if (count == 0) continue;
      const PackedWeight own = given.weight.at_expert(e);
      std::byte* const rows = given.input.rows.data + begin * kIn * (own.input_form() == InputForm::kF32 ? 4 : 2);
      function(own, own.input(count, rows), given.bias.data() + e * own.out(), begin);
      begin += count;
    }
  }
  /// By the GEMMs of one matrix.
  static Bytes products_of_experts(Stream& stream, const Given& given, const ExpertLoad& load, DType out_dtype) {
    const int64_t width = given.weight.out();
    const DeviceArray out = room(stream, given.rows, width, out_dtype);
    for_each_expert(
        given, load, [&](const PackedWeight& own, const GemmInput& input, const float* bias, int64_t begin) {
          gemm(stream,
               {.weight = &own,
                .input = input,
                .bias = bias,
                .out = make_tensor(out.data() + begin * row_bytes(out_dtype, width), out_dtype, input.tokens, width)});
        });
    return out.values();
  }
  static Bytes gated_of_experts(Stream& stream, const Given& given, const ExpertLoad& load, DType out_dtype) {
    const int64_t width = given.weight.out() / 2;
    const DeviceArray out = room(stream, given.rows, width, out_dtype);
    for_each_expert(given, load,
                    [&](const PackedWeight& own, const GemmInput& input, const float* bias, int64_t begin) {
                      gated_gemm(stream, {.weight = &own,
                                          .input = input,
                                          .bias = bias,
                                          .activation = Activation::kClampedSilu,
                                          .out = gated_out(out.data() + begin * row_bytes(out_dtype, width),
                                                           input.tokens, width, out_dtype)});
                    });
    return out.values();
  }
};
INSTANTIATE_TEST_SUITE_P(All, ExpertTiles,
                         testing::Values(DType::kF32, DType::kF16, DType::kBF16, DType::kF8E4M3, DType::kF8E4M3B128,
                                         DType::kQ8_0, DType::kQ4_K, DType::kQ6_K),
                         [](const auto& param) { return std::string(dtype_info(param.param).name); });

// Inputs of an expert's rows alone begin at any multiple of a row, so gemm() of them reads what the op reads.
TEST_P(ExpertTiles, GiveWhatGemmsOfEachExpertGive) {
  for (const int most_capability : {kNewestCapability, 80}) {
    const Gpu gpu(most_capability);
    Stream& stream = *gpu.stream;
    for (const ExpertLoad& load : expert_loads()) {
      // Enough for several tiles, but of many experts, and such that outputs lie together by eights or not.
      for (const int64_t part_rows :
           load.experts() < 200 ? std::vector<int64_t>{200, 69} : std::vector<int64_t>{24, 13}) {
        SCOPED_TRACE(testing::Message() << load.name << ", " << part_rows << " rows, capability " << most_capability);
        const Given given(stream, load, GetParam(), part_rows);
        for (const DType out : {DType::kBF16, DType::kF32}) {
          const Bytes products = product(stream, given, out);
          ASSERT_EQ(products, products_of_experts(stream, given, load, out));
          ASSERT_EQ(products, product(stream, given, out));
          const Bytes gates = gated(stream, given, out);
          ASSERT_EQ(gates, gated_of_experts(stream, given, load, out));
          ASSERT_EQ(gates, gated(stream, given, out));
        }
      }
    }
  }
}

// A table that comes late, and inputs that come later than a settled one.
TEST_P(ExpertTiles, WaitForTheTableAndTheirInputs) {
  const Gpu gpu;
  Stream& stream = *gpu.stream;
  for (const ExpertLoad& load : {random_load(1, 128, 8), random_load(40, 64, 6), random_load(600, 9, 2)}) {
    SCOPED_TRACE(load.name);
    const Given right(stream, load, GetParam(), 96);
    const Given late(stream, load, GetParam(), 96);
    const Bytes want = product(stream, right, DType::kF32);
    const size_t table_bytes = (load.counts.size() + 1) * sizeof(int32_t);
    const DeviceArray no_rows(stream, static_cast<int64_t>(load.counts.size() + 1), int32_t{0});
    const DeviceArray noise(stream, late.input.memory.size(), std::byte{0x11});
    for (int repeat = 0; repeat < 3; ++repeat) {
      for (const bool settled : {false, true}) {
        const DeviceArray out = room(stream, right.rows, right.weight.out(), DType::kF32);
        std::byte* const to = settled ? late.input.memory.data() : reinterpret_cast<std::byte*>(late.row_begin.data());
        const size_t bytes = settled ? static_cast<size_t>(noise.size()) : table_bytes;
        stream.copy(to, settled ? static_cast<const void*>(noise.data()) : no_rows.data(), bytes);
        stream.synchronize();
        late_copy(stream, to, settled ? static_cast<const void*>(right.input.memory.data()) : right.row_begin.data(),
                  bytes);
        enqueue_product(stream, late, out.data(), DType::kF32, settled);
        ASSERT_EQ(want, out.values()) << "settled: " << settled;
      }
    }
  }
}

// What a grouped GEMM waited for is there for the command behind it as soon as that begins.
TEST_P(ExpertTiles, SettleTheTableForWhoComesNext) {
  const Gpu gpu;
  Stream& stream = *gpu.stream;
  const ExpertLoad load = random_load(30, 64, 6);
  const Given right(stream, load, GetParam(), 96);
  const Given late(stream, load, GetParam(), 96);
  const Bytes want = product(stream, right, DType::kF32);
  const size_t table_bytes = (load.counts.size() + 1) * sizeof(int32_t);
  const DeviceArray no_rows(stream, static_cast<int64_t>(load.counts.size() + 1), int32_t{0});
  const DeviceArray between = room(stream, right.rows, 96, DType::kBF16);
  for (int repeat = 0; repeat < 5; ++repeat) {
    const DeviceArray out = room(stream, right.rows, right.weight.out(), DType::kF32);
    stream.copy(late.row_begin.data(), no_rows.data(), table_bytes);
    stream.synchronize();
    late_copy(stream, late.row_begin.data(), right.row_begin.data(), table_bytes);
    gated_expert_gemm(stream, {.weight = &right.weight,
                               .input = right.input.rows,
                               .table = late.table,
                               .out = gated_out(between.data(), right.rows, 96, DType::kBF16)});
    enqueue_product(stream, late, out.data(), DType::kF32, true);
    ASSERT_EQ(want, out.values());
  }
}

}  // namespace
}  // namespace caravel::kernels::cuda
