#include "kernels/qkv_gemm.h"

#include <cmath>
#include <vector>

#include "kernels/gemm.h"
#include "kernels/op_testing.h"
#include "kernels/product_rows.h"
#include "kernels/random_weights.h"

namespace caravel::kernels {
namespace {

struct QkvCase {
  int head_dim;
  int rotary_dim;
  RotaryStyle style = RotaryStyle::kHalves;
  KvDtype cache = KvDtype::kBF16;
  DType weight = DType::kBF16;
  int64_t in = 96;
  bool norm = false;
};

constexpr int kHeads = 5;
constexpr int kKvHeads = 2;
constexpr int kBlockSize = 4;

/// Q, K and V, whose rows are heads or are not said to be.
PackedWeight pack(Stream& stream, const QkvCase& c, bool heads) {
  std::vector<std::vector<std::byte>> bytes;
  std::vector<std::vector<float>> scales;
  std::vector<WeightRows> parts;
  for (const int count : {kHeads, kKvHeads, kKvHeads}) {
    const int64_t rows = int64_t{count} * c.head_dim;
    bytes.push_back(random_rows(c.weight, rows, c.in, static_cast<unsigned>(parts.size()) + 1));
    scales.push_back(random_scales(c.weight, rows, c.in, static_cast<unsigned>(parts.size()) + 7));
    parts.push_back({.data = bytes.back().data(), .dtype = c.weight, .rows = rows, .scales = scales.back().data()});
    if (heads) parts.back().heads = {.head_dim = c.head_dim, .rotary_dim = c.rotary_dim};
  }
  return pack_weight(stream, parts, c.in);
}

/// What a step leaves: queries, and the cache.
struct QkvResult {
  std::vector<float> queries;
  std::vector<std::byte> cache;
};

/// Beside one another: the op, and the two that it stands for.
void check_qkv(Isa isa, const QkvCase& c, int64_t tokens) {
  SCOPED_TRACE(testing::Message() << "head_dim " << c.head_dim << ", rotary_dim " << c.rotary_dim << ", style "
                                  << static_cast<int>(c.style) << ", cache " << static_cast<int>(c.cache) << ", "
                                  << dtype_info(c.weight).name << ", in " << c.in << ", tokens " << tokens);
  Machine machine(isa, 3);
  Stream& stream = *machine.stream;
  const int width = (kHeads + 2 * kKvHeads) * c.head_dim;
  const FormedRows input(stream, input_form(machine.device, c.weight, false), random_normal(tokens * c.in, 41), c.in);
  const DeviceArray bias(stream, random_normal(width, 42));
  const DeviceArray norm(stream, random_normal(c.head_dim, 43));
  std::vector<float> angles;
  for (int i = 0; i < tokens * c.rotary_dim / 2; ++i) {
    angles.push_back(std::cos(static_cast<float>(i)));
    angles.push_back(std::sin(static_cast<float>(i)));
  }
  const DeviceArray cos_sin(stream, angles);
  std::vector<int64_t> slots;
  for (int64_t t = 0; t < tokens; ++t) slots.push_back(t % 5 == 2 ? -1 : (t * 11 + 3) % (2 * tokens));
  const DeviceArray slots_there(stream, slots);
  const int64_t block_bytes = kv_layer_bytes(machine.device, kBlockSize, kKvHeads, c.head_dim, c.cache);
  const int64_t blocks = (2 * tokens + kBlockSize - 1) / kBlockSize;

  const auto run = [&](bool fused) {
    const PackedWeight weight = pack(stream, c, fused);
    const DeviceArray cache = unwritten(stream, static_cast<size_t>(blocks * block_bytes));
    const ProductRows qkv(stream, std::vector<float>(static_cast<size_t>(tokens * width), NAN), width);
    const RotaryCacheArgs rotary = {.qkv = qkv.tensor(),
                                    .q_norm = c.norm ? norm.data() : nullptr,
                                    .k_norm = c.norm ? norm.data() : nullptr,
                                    .cos_sin = c.rotary_dim > 0 ? cos_sin.data() : nullptr,
                                    .rotary_dim = c.rotary_dim,
                                    .style = c.style,
                                    .slots = slots_there.data(),
                                    .heads = kHeads,
                                    .cache = {cache.data(), block_bytes, kBlockSize, kKvHeads, c.head_dim, c.cache}};
    if (fused) {
      qkv_gemm(stream, {.weight = &weight, .input = input.rows, .bias = bias.data(), .rotary = rotary});
    } else {
      gemm(stream, {.weight = &weight, .input = input.rows, .bias = bias.data(), .out = qkv.tensor()});
      rotary_cache(stream, rotary);
    }
    QkvResult result{.queries = {}, .cache = cache.values()};
    const std::vector<float> all = qkv.values();
    for (int64_t t = 0; t < tokens; ++t) {
      const auto row = all.begin() + t * width;
      result.queries.insert(result.queries.end(), row, row + kHeads * c.head_dim);
    }
    return result;
  };
  const QkvResult fused = run(true);
  const QkvResult apart = run(false);
  expect_same_bits(fused.queries, apart.queries);
  EXPECT_TRUE(fused.cache == apart.cache);
}

TEST(QkvGemm, IsGemmAndThenRotaryCache) {
  for_each_isa([](Isa isa) {
    for (const int64_t tokens : {1, 7, 70}) {
      for (const RotaryStyle style : {RotaryStyle::kHalves, RotaryStyle::kInterleaved}) {
        for (const KvDtype cache : {KvDtype::kF16, KvDtype::kBF16, KvDtype::kF32, KvDtype::kInt8, KvDtype::kFp8}) {
          if (cache == KvDtype::kFp8 && !tests_a_gpu()) continue;  // a CPU has none
          check_qkv(isa, {.head_dim = 64, .rotary_dim = 64, .style = style, .cache = cache}, tokens);
        }
        check_qkv(isa, {.head_dim = 128, .rotary_dim = 128, .style = style, .weight = DType::kQ4_0}, tokens);
        check_qkv(isa, {.head_dim = 128, .rotary_dim = 128, .style = style, .weight = DType::kF8E4M3}, tokens);
        check_qkv(isa, {.head_dim = 96, .rotary_dim = 32, .style = style}, tokens);
        check_qkv(isa, {.head_dim = 80, .rotary_dim = 20, .style = style}, tokens);
        check_qkv(isa, {.head_dim = 36, .rotary_dim = 36, .style = style}, tokens);
        check_qkv(isa, {.head_dim = 72, .rotary_dim = 64, .style = style}, tokens);
        check_qkv(isa, {.head_dim = 64, .rotary_dim = 64, .style = style, .norm = true}, tokens);
        check_qkv(isa, {.head_dim = 64, .rotary_dim = 64, .style = style, .weight = DType::kF32}, tokens);
        check_qkv(isa, {.head_dim = 64, .rotary_dim = 64, .style = style, .in = 20}, tokens);
      }
      check_qkv(isa, {.head_dim = 64, .rotary_dim = 0}, tokens);
    }
    for (const int64_t tokens : {128, 200, 600}) {
      for (const RotaryStyle style : {RotaryStyle::kHalves, RotaryStyle::kInterleaved}) {
        check_qkv(isa, {.head_dim = 128, .rotary_dim = 128, .style = style}, tokens);
        check_qkv(isa, {.head_dim = 72, .rotary_dim = 64, .style = style}, tokens);
      }
    }
  });
}

/// However a device lays heads, a plain product of them has their rows in order.
TEST(QkvGemm, HeadsAreRowsAsOthers) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 2);
    Stream& stream = *machine.stream;
    for (const DType dtype :
         {DType::kBF16, DType::kQ8_0, DType::kQ4_K, DType::kF8E4M3, DType::kF8E4M3B128, DType::kF32}) {
      const QkvCase c{.head_dim = 96, .rotary_dim = 64, .weight = dtype, .in = 256};
      const FormedRows input(stream, input_form(machine.device, dtype, false), random_normal(9 * c.in, 44), c.in);
      const auto product = [&](bool heads) {
        const PackedWeight weight = pack(stream, c, heads);
        const DeviceArray out(stream, 9 * weight.out(), NAN);
        gemm(stream, {.weight = &weight, .input = input.rows, .out = f32_tensor(out.data(), 9, weight.out())});
        return out.values();
      };
      EXPECT_EQ(product(true), product(false)) << dtype_info(dtype).name;
    }
  });
}

}  // namespace
}  // namespace caravel::kernels
