#include "kernels/kv_cache.h"

#include "kernels/op_testing.h"
#include "kernels/paged_attention.h"
#include "kernels/product_rows.h"
#include "kernels/ref/kv_cache.h"

namespace caravel::kernels {
namespace {

TEST(RotaryAngles, FarPositionsKeepTheirPrecision) {
  Machine machine(Isa::kPortable, 3);
  const std::vector<int32_t> positions = {0, 1, 77, 4095, 131071, 1000003};
  std::vector<float> inverse_freq;
  for (int i = 0; i < 5; ++i) inverse_freq.push_back(std::pow(10000.0F, -static_cast<float>(i) / 5));
  const DeviceArray positions_there(*machine.stream, positions);
  const DeviceArray inverse_freq_there(*machine.stream, inverse_freq);
  const DeviceArray cos_sin(*machine.stream, static_cast<int64_t>(positions.size()) * 10, NAN);
  rotary_angles(*machine.stream, {.positions = positions_there.data(),
                                  .inverse_freq = inverse_freq_there.data(),
                                  .magnitude = 1.5F,
                                  .tokens = static_cast<int64_t>(positions.size()),
                                  .rotary_dim = 10,
                                  .cos_sin = cos_sin.data()});
  std::vector<double> expected(cos_sin.size());
  ref::rotary_angles(positions.data(), inverse_freq.data(), 1.5, static_cast<int64_t>(positions.size()), 10,
                     expected.data());
  expect_close(cos_sin.values(), expected, 0, kRounding);
}

struct RotaryCase {
  int head_dim;
  int rotary_dim;  // 0: no rotation
  RotaryStyle style;
  bool norm;
  KvDtype dtype;
};

/// Five tokens with two Q heads and one KV head. Q is read where it lies; what was stored is read through attention: a
/// token alone in its context gives back its value, and a value whose weight only its key decides gives back the key.
void check_rotary(const RotaryCase& c, Isa isa) {
  SCOPED_TRACE("head_dim " + std::to_string(c.head_dim) + " rotary_dim " + std::to_string(c.rotary_dim));
  Machine machine(isa, 3);
  Stream& stream = *machine.stream;
  constexpr int kTokens = 5;
  constexpr int kHeads = 2;
  const int width = (kHeads + 2) * c.head_dim;
  const auto input = as_products(machine.device, random_normal(kTokens * width, 21));
  const auto q_norm = random_normal(c.head_dim, 22);
  const auto k_norm = random_normal(c.head_dim, 23);
  std::vector<float> cos_sin;
  for (int i = 0; i < kTokens * c.rotary_dim / 2; ++i) {
    cos_sin.push_back(std::cos(static_cast<float>(i)));
    cos_sin.push_back(std::sin(static_cast<float>(i)));
  }
  const int64_t bytes = kv_layer_bytes(machine.device, 4, 1, c.head_dim, c.dtype);
  const DeviceArray blocks = unwritten(stream, static_cast<size_t>(3 * bytes));
  const KvLayer cache{blocks.data(), bytes, 4, 1, c.head_dim, c.dtype};
  const std::vector<int64_t> slots = {9, 0, -1, 7, 2};
  const DeviceArray slots_there(stream, slots);
  const DeviceArray q_norm_there(stream, q_norm);
  const DeviceArray k_norm_there(stream, k_norm);
  const DeviceArray cos_sin_there(stream, cos_sin);
  const ProductRows qkv_there(stream, input, width);
  rotary_cache(stream, {.qkv = qkv_there.tensor(),
                        .q_norm = c.norm ? q_norm_there.data() : nullptr,
                        .k_norm = c.norm ? k_norm_there.data() : nullptr,
                        .cos_sin = cos_sin_there.data(),
                        .rotary_dim = c.rotary_dim,
                        .style = c.style,
                        .slots = slots_there.data(),
                        .heads = kHeads,
                        .cache = cache});
  const std::vector<float> qkv = qkv_there.values();

  const auto prepared = [&](int token, int unit, const float* norm) {
    const float* from = input.data() + token * width + unit * c.head_dim;
    std::vector<double> head(from, from + c.head_dim);
    ref::prepare_head(head.data(), c.head_dim, norm, 1e-6F,
                      c.rotary_dim > 0 ? cos_sin.data() + token * c.rotary_dim : nullptr, c.rotary_dim, c.style);
    return head;
  };
  const double tolerance = kRounding * 4 * (c.head_dim / 32.0 + 12);
  for (int token = 0; token < kTokens; ++token) {
    for (int head = 0; head < kHeads; ++head) {
      SCOPED_TRACE("Q head " + std::to_string(head) + " of token " + std::to_string(token));
      const auto expected = prepared(token, head, c.norm ? q_norm.data() : nullptr);
      expect_close(std::span(qkv).subspan(static_cast<size_t>(token * width + head * c.head_dim),
                                          static_cast<size_t>(c.head_dim)),
                   expected, tolerance, product_rounding(machine.device));
    }
  }

  // The element a slot holds, by attention over a context of one slot: block size 1 makes a slot a block.
  double stored = c.dtype == KvDtype::kF16 ? 0x1p-11 : c.dtype == KvDtype::kBF16 ? 0x1p-8 : 0;
  if (c.dtype == KvDtype::kFp8) stored = 0x1p-4;
  // A GPU's weight of a single key is one but for a rounding, and takes int8's scale in bf16.
  if (tests_a_gpu()) stored += c.dtype == KvDtype::kInt8 ? 0x1p-8 : 2 * kRounding;
  for (int token = 0; token < kTokens; ++token) {
    const int64_t slot = slots[static_cast<size_t>(token)];
    if (slot < 0) continue;
    SCOPED_TRACE("slot " + std::to_string(slot));
    const int32_t block = static_cast<int32_t>(slot / 4);
    const int offset = static_cast<int>(slot % 4);
    // A window of one token that stands at the slot's offset in its block sees that slot alone.
    const DeviceArray starts(stream, std::vector<int32_t>{0, 1});
    const int32_t context = offset + 1;
    const DeviceArray contexts(stream, 1, context);
    const DeviceArray table(stream, 1, block);
    const ProductRows q(stream, std::vector<float>(static_cast<size_t>(c.head_dim), 1.0F), c.head_dim);
    const DeviceArray out(stream, c.head_dim, NAN);
    const DeviceArray workspace =
        unwritten(stream, paged_attention_workspace(machine.device, 1, context, 1, c.head_dim, 0));
    PagedAttentionArgs args{.q = q.tensor(),
                            .heads = 1,
                            .window = 1,
                            .cache = cache,
                            .batch = {.num_seqs = 1,
                                      .query_start = starts.data(),
                                      .context_len = contexts.data(),
                                      .block_table = table.data(),
                                      .block_table_stride = 1},
                            .max_context = context,
                            .workspace = workspace.data(),
                            .out = f32_input(out.data(), 1, c.head_dim)};
    paged_attention(stream, args);
    const float* value = input.data() + token * width + (kHeads + 1) * c.head_dim;
    const auto largest = std::abs(
        *std::max_element(value, value + c.head_dim, [](float a, float b) { return std::abs(a) < std::abs(b); }));
    const double step = c.dtype == KvDtype::kInt8 ? largest / 127 : c.dtype == KvDtype::kFp8 ? 0x1p-9 : 0;
    expect_close(out.values(), std::vector<double>(value, value + c.head_dim), 0x1p-24 + step * 0.501,
                 stored + kRounding);
  }
}

TEST(RotaryCache, NormsRotatesAndStores) {
  for_each_isa([](Isa isa) {
    check_rotary({64, 64, RotaryStyle::kHalves, false, KvDtype::kF16}, isa);
    check_rotary({64, 64, RotaryStyle::kInterleaved, false, KvDtype::kBF16}, isa);
    check_rotary({80, 20, RotaryStyle::kHalves, true, KvDtype::kF32}, isa);
    check_rotary({24, 16, RotaryStyle::kInterleaved, true, KvDtype::kF16}, isa);
    check_rotary({64, 64, RotaryStyle::kHalves, true, KvDtype::kInt8}, isa);
    if (tests_a_gpu()) check_rotary({64, 64, RotaryStyle::kHalves, true, KvDtype::kFp8}, isa);
    check_rotary({8, 0, RotaryStyle::kHalves, true, KvDtype::kF32}, isa);
    check_rotary({256, 256, RotaryStyle::kHalves, true, KvDtype::kF32}, isa);
  });
}

/// Of three Q heads and two KV heads, by `threads` threads: the queries, and the cache's f32 elements.
std::pair<std::vector<float>, std::vector<float>> store_rows(Isa isa, int threads, const std::vector<float>& input,
                                                             const RotaryCacheArgs& norms) {
  constexpr int kDim = 24;
  constexpr int kTokens = 3;
  Machine machine(isa, threads);
  Stream& stream = *machine.stream;
  const int64_t bytes = kv_layer_bytes(machine.device, 4, 2, kDim, KvDtype::kF32);
  const DeviceArray blocks(stream, bytes / 4, 0.0F);
  std::vector<float> cos_sin;
  for (int i = 0; i < kTokens * kDim / 2; ++i) {
    cos_sin.push_back(std::cos(static_cast<float>(i)));
    cos_sin.push_back(std::sin(static_cast<float>(i)));
  }
  const DeviceArray cos_sin_there(stream, cos_sin);
  const DeviceArray slots(stream, std::vector<int64_t>{3, -1, 0});
  const ProductRows qkv(stream, as_products(machine.device, input), 7 * kDim);
  const auto weights = [&](const float* from, int64_t count) {
    return DeviceArray(stream, from == nullptr ? std::vector<float>(1) : std::vector<float>(from, from + count));
  };
  const DeviceArray q_norm = weights(norms.q_norm, int64_t{3} * kDim);
  const DeviceArray k_norm = weights(norms.k_norm, int64_t{2} * kDim);
  rotary_cache(stream, {.qkv = qkv.tensor(),
                        .q_norm = norms.q_norm == nullptr ? nullptr : q_norm.data(),
                        .k_norm = norms.k_norm == nullptr ? nullptr : k_norm.data(),
                        .norms_rows = norms.norms_rows,
                        .norm_epsilon = norms.norm_epsilon,
                        .cos_sin = cos_sin_there.data(),
                        .rotary_dim = kDim,
                        .slots = slots.data(),
                        .heads = 3,
                        .cache = {reinterpret_cast<std::byte*>(blocks.data()), bytes, 4, 2, kDim, KvDtype::kF32}});
  return {qkv.values(), blocks.values()};
}

// What is normed before and then only rotated is the expectation: heads of a row whose sizes differ much, so that a
// norm of each by itself would be another.
TEST(RotaryCache, NormsWholeRowsOfQueriesAndKeys) {
  constexpr int64_t kDim = 24;
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    std::vector<float> input = random_normal(3 * 7 * kDim, 51);
    for (int64_t i = 0; i < std::ssize(input); ++i) input[i] *= static_cast<float>(1 + i / kDim % 7);
    input = as_products(machine.device, input);
    const auto q_norm = random_normal(3 * kDim, 52);
    const auto k_norm = random_normal(2 * kDim, 53);
    const float epsilon = 0.25F;
    std::vector<float> normed = input;
    for (int64_t token = 0; token < 3; ++token) {
      const auto norm_row = [&](int64_t first, const std::vector<float>& weight) {
        float* const row = normed.data() + (token * 7 + first) * kDim;
        std::vector<double> values(row, row + weight.size());
        ref::prepare_head(values.data(), static_cast<int>(weight.size()), weight.data(), epsilon, nullptr, 0,
                          RotaryStyle::kHalves);
        std::copy(values.begin(), values.end(), row);
      };
      norm_row(0, q_norm);
      norm_row(3, k_norm);
    }
    const RotaryCacheArgs norms = {
        .q_norm = q_norm.data(), .k_norm = k_norm.data(), .norms_rows = true, .norm_epsilon = epsilon};
    const auto [queries, cache] = store_rows(isa, 3, input, norms);
    const auto [expected_queries, expected_cache] = store_rows(isa, 3, normed, {});
    // A GPU's normed rows are rounded on the way to the expectation, before they are rotated.
    const double tolerance = 16 * kRounding + 8 * product_rounding(machine.device);
    for (int64_t token = 0; token < 3; ++token) {
      const auto of_queries = [&](const std::vector<float>& rows) {
        const auto from = rows.begin() + token * 7 * kDim;
        return std::vector<float>(from, from + 3 * kDim);
      };
      const std::vector<float> expected = of_queries(expected_queries);
      expect_close(of_queries(queries), std::vector<double>(expected.begin(), expected.end()), tolerance, tolerance);
    }
    expect_close(cache, std::vector<double>(expected_cache.begin(), expected_cache.end()), tolerance, tolerance);
    EXPECT_EQ(store_rows(isa, 1, input, norms), std::pair(queries, cache)) << "of one thread";
  });
}

/// Keys decide the weights: of two slots with values 1 and 0, the first one's weight is a logistic function of the
/// difference of the scores, which gives q . (k0 - k1) back.
TEST(RotaryCache, StoresKeysNormedAndRotated) {
  for_each_isa([](Isa isa) {
    for (const RotaryStyle style : {RotaryStyle::kHalves, RotaryStyle::kInterleaved}) {
      Machine machine(isa);
      Stream& stream = *machine.stream;
      constexpr int kDim = 16;
      const auto k_norm = random_normal(kDim, 31);
      std::vector<float> cos_sin;
      for (int i = 0; i < kDim; ++i) {
        cos_sin.push_back(std::cos(0.3F * static_cast<float>(i)));
        cos_sin.push_back(std::sin(0.3F * static_cast<float>(i)));
      }
      auto qkv = as_products(machine.device, random_normal(2 * 3 * kDim, 32));
      for (int d = 0; d < kDim; ++d) {
        qkv[static_cast<size_t>(2 * kDim + d)] = 1.0F;
        qkv[static_cast<size_t>(5 * kDim + d)] = 0.0F;
      }
      std::vector<std::vector<double>> keys;
      for (int token = 0; token < 2; ++token) {
        const float* k = qkv.data() + (token * 3 + 1) * kDim;
        keys.emplace_back(k, k + kDim);
        ref::prepare_head(keys.back().data(), kDim, k_norm.data(), 1e-6F, cos_sin.data() + token * kDim, kDim, style);
      }
      const int64_t bytes = kv_layer_bytes(machine.device, 16, 1, kDim, KvDtype::kF32);
      const DeviceArray blocks = unwritten(stream, static_cast<size_t>(bytes));
      const KvLayer cache{blocks.data(), bytes, 16, 1, kDim, KvDtype::kF32};
      const DeviceArray slots(stream, std::vector<int64_t>{0, 1});
      const ProductRows qkv_there(stream, qkv, 3 * kDim);
      const DeviceArray k_norm_there(stream, k_norm);
      const DeviceArray cos_sin_there(stream, cos_sin);
      rotary_cache(stream, {.qkv = qkv_there.tensor(),
                            .k_norm = k_norm_there.data(),
                            .cos_sin = cos_sin_there.data(),
                            .rotary_dim = kDim,
                            .style = style,
                            .slots = slots.data(),
                            .heads = 1,
                            .cache = cache});
      const DeviceArray starts(stream, std::vector<int32_t>{0, 1});
      const DeviceArray contexts(stream, 1, 2);
      const DeviceArray table(stream, 1, 0);
      const DeviceArray workspace = unwritten(stream, paged_attention_workspace(machine.device, 1, 2, 1, kDim, 0));
      for (int d = 0; d < kDim; ++d) {
        std::vector<float> unit(kDim, 0.0F);
        unit[static_cast<size_t>(d)] = 1.0F;
        const ProductRows q(stream, unit, kDim);
        const DeviceArray out_there(stream, kDim, NAN);
        paged_attention(stream, {.q = q.tensor(),
                                 .heads = 1,
                                 .cache = cache,
                                 .batch = {.num_seqs = 1,
                                           .query_start = starts.data(),
                                           .context_len = contexts.data(),
                                           .block_table = table.data(),
                                           .block_table_stride = 1},
                                 .max_context = 2,
                                 .workspace = workspace.data(),
                                 .out = f32_input(out_there.data(), 1, kDim)});
        const std::vector<float> out = out_there.values();
        const auto i = static_cast<size_t>(d);
        const double rounding = 8 * kRounding / std::min(out[0], 1 - out[0]);  // of the weight, in its logarithm
        EXPECT_NEAR(std::log(out[0] / (1 - out[0])), keys[0][i] - keys[1][i], 1e-5 + rounding) << "element " << d;
      }
    }
  });
}

TEST(CopyBlocks, CopiesTheBlocksNamedAndNoOthers) {
  Machine machine(Isa::kPortable, 3);
  const int64_t bytes = 192;
  std::vector<std::byte> src(10 * bytes);
  for (size_t i = 0; i < src.size(); ++i) src[i] = static_cast<std::byte>(i / bytes * 16 + i % 7);
  const DeviceArray there(*machine.stream, src);
  const DeviceArray dst(*machine.stream, 6 * bytes, std::byte{});
  const std::vector<BlockCopy> copies = {{9, 0}, {0, 5}, {4, 2}};
  const DeviceArray list(*machine.stream, copies);
  copy_blocks(*machine.stream,
              {.src = there.data(), .dst = dst.data(), .copies = list.data(), .count = 3, .bytes = bytes});
  std::vector<std::byte> expected(6 * bytes);
  for (const BlockCopy& copy : copies) {
    std::memcpy(expected.data() + copy.to * bytes, src.data() + copy.from * bytes, bytes);
  }
  EXPECT_EQ(dst.values(), expected);
}

}  // namespace
}  // namespace caravel::kernels
