#include "kernels/latent_cache.h"

#include <cmath>
#include <span>

#include "base/error.h"
#include "kernels/cpu/kv_head_layout.h"
#include "kernels/input_values.h"
#include "kernels/op_testing.h"
#include "kernels/paged_attention.h"
#include "kernels/product_rows.h"
#include "kernels/ref/kv_cache.h"

namespace caravel::kernels {
namespace {

constexpr int kTokens = 4;
constexpr int kHeads = 3;

struct LatentCase {
  int nope_dim;
  int rotary_dim;
  int value_dim;
  RotaryStyle style;
  KvDtype dtype;
  InputForm form;
};

/// What is handed on of queries, and what the slots hold: of f32 where it lies, of other types by attention of a token
/// that is alone, which gives back its value.
void check_latents(const LatentCase& c, Isa isa) {
  Machine machine(isa, 3);
  Stream& stream = *machine.stream;
  const int head_dim = c.value_dim + c.rotary_dim;
  const int q_dim = c.nope_dim + c.rotary_dim;
  const std::vector<float> q = as_products(machine.device, random_normal(kTokens * kHeads * q_dim, 1));
  const std::vector<float> latent = as_products(machine.device, random_normal(kTokens * head_dim, 2));
  const std::vector<float> norm = random_normal(c.value_dim, 3);
  std::vector<float> cos_sin;
  for (int i = 0; i < kTokens * c.rotary_dim / 2; ++i) {
    cos_sin.push_back(1.3F * std::cos(static_cast<float>(i)));
    cos_sin.push_back(1.3F * std::sin(static_cast<float>(i)));
  }
  const int64_t bytes = shared_layer_bytes(machine.device, 4, 1, head_dim, c.dtype);
  const DeviceArray blocks = unwritten(stream, static_cast<size_t>(2 * bytes));
  const KvLayer cache{blocks.data(), bytes, 4, 1, head_dim, c.dtype, c.value_dim};
  const std::vector<int64_t> slots = {5, 0, -1, 7};
  const ProductRows q_there(stream, q, kHeads * q_dim);
  const ProductRows latent_there(stream, latent, head_dim);
  const DeviceArray norm_there(stream, norm);
  const DeviceArray angles(stream, cos_sin);
  const DeviceArray slots_there(stream, slots);
  const FormedRows nope(stream, c.form, kTokens, kHeads * c.nope_dim);
  const ProductRows rotated(stream, std::vector<float>(static_cast<size_t>(kTokens * kHeads * head_dim), -7.0F),
                            kHeads * head_dim);
  latent_cache(stream, {.q = q_there.tensor(),
                        .latent = latent_there.tensor(),
                        .norm = norm_there.data(),
                        .norm_epsilon = 1e-3F,
                        .cos_sin = angles.data(),
                        .style = c.style,
                        .slots = slots_there.data(),
                        .heads = kHeads,
                        .nope_dim = c.nope_dim,
                        .cache = cache,
                        .nope = nope.rows,
                        .rotated = rotated.tensor()});
  const std::vector<float> first = input_values(stream, nope.rows);
  const std::vector<float> last = rotated.values();
  const std::vector<std::byte> stored = blocks.values();
  for (int t = 0; t < kTokens; ++t) {
    SCOPED_TRACE("token " + std::to_string(t));
    const float* const turn = cos_sin.data() + t * c.rotary_dim;
    for (int h = 0; h < kHeads; ++h) {
      const float* const own = q.data() + (t * kHeads + h) * q_dim;
      const auto at = static_cast<size_t>((t * kHeads + h) * c.nope_dim);
      const double step = c.form == InputForm::kQ8 ? 5.0 / 127 * 0.51 : 0;
      expect_close(std::span(first).subspan(at, static_cast<size_t>(c.nope_dim)),
                   std::vector<double>(own, own + c.nope_dim), step, 0);
      std::vector<double> turned(own + c.nope_dim, own + q_dim);
      ref::prepare_head(turned.data(), c.rotary_dim, nullptr, 0, turn, c.rotary_dim, c.style);
      const auto row = static_cast<size_t>((t * kHeads + h) * head_dim);
      EXPECT_EQ(last[row], -7.0F) << "the latent's part is another op's";
      expect_close(std::span(last).subspan(row + static_cast<size_t>(c.value_dim), static_cast<size_t>(c.rotary_dim)),
                   turned, 1e-6, std::max(1e-6, product_rounding(machine.device)));
    }
    const int64_t slot = slots[static_cast<size_t>(t)];
    if (slot < 0) continue;
    const float* const x = latent.data() + t * head_dim;
    std::vector<double> key(x, x + head_dim);
    ref::prepare_head(key.data(), c.value_dim, norm.data(), 1e-3, nullptr, 0, c.style);
    ref::prepare_head(key.data() + c.value_dim, c.rotary_dim, nullptr, 0, turn, c.rotary_dim, c.style);
    if (c.dtype == KvDtype::kF32) {
      // Elements from one row to the next.
      const int64_t stride = tests_a_gpu() ? (head_dim + 3) / 4 * 4 : shared_row_layout(4, head_dim, c.dtype).stride;
      std::vector<float> row(static_cast<size_t>(head_dim));
      std::memcpy(row.data(), stored.data() + slot / 4 * bytes + slot % 4 * stride * 4, row.size() * 4);
      expect_close(row, key, 1e-6, 1e-6);
    }
    // A query that sees this slot alone gets its value.
    const DeviceArray starts(stream, std::vector<int32_t>{0, 1});
    const DeviceArray context(stream, 1, static_cast<int32_t>(slot % 4 + 1));
    const DeviceArray table(stream, 1, static_cast<int32_t>(slot / 4));
    const ProductRows ones(stream, std::vector<float>(static_cast<size_t>(head_dim), 1.0F), head_dim);
    const DeviceArray out(stream, c.value_dim, NAN);
    const DeviceArray workspace =
        unwritten(stream, paged_attention_workspace(machine.device, 1, 4, 1, head_dim, c.value_dim));
    paged_attention(stream, {.q = ones.tensor(),
                             .heads = 1,
                             .window = 1,
                             .cache = cache,
                             .batch = {.num_seqs = 1,
                                       .query_start = starts.data(),
                                       .context_len = context.data(),
                                       .block_table = table.data(),
                                       .block_table_stride = 1},
                             .max_context = 4,
                             .workspace = workspace.data(),
                             .out = f32_input(out.data(), 1, c.value_dim)});
    std::vector<double> value(key.begin(), key.begin() + c.value_dim);
    ref::round_to(c.dtype, value.data(), c.value_dim);
    // What lies between two of a type's numbers may be rounded to either.
    double largest = 0;
    for (const double element : value) largest = std::max(largest, std::abs(element));
    const double step = c.dtype == KvDtype::kInt8 ? largest / 127 : 0;
    const double ulp = c.dtype == KvDtype::kF16 ? 0x1p-10 : c.dtype == KvDtype::kBF16 ? 0x1p-7 : 1e-6;
    expect_close(out.values(), value, step + 1e-7, ulp);
  }
  EXPECT_EQ(blocks.values(), stored) << "attention writes nothing";
}

TEST(LatentCache, HandsOnQueriesAndStoresKeys) {
  for_each_isa([](Isa isa) {
    const InputForm coded = tests_a_gpu() ? InputForm::kBf16 : InputForm::kQ8;
    for (const KvDtype dtype : {KvDtype::kF32, KvDtype::kF16, KvDtype::kBF16, KvDtype::kInt8}) {
      // What other types keep is read by attention, which a GPU before Hopper has not for values among the keys.
      if (dtype != KvDtype::kF32 && !attends_among_keys(Machine(isa).device, 512 + 64, 512)) {
        GTEST_SKIP() << "no kernel for values among the keys";
      }
      check_latents({16, 8, 32, RotaryStyle::kInterleaved, dtype, InputForm::kF32}, isa);
      check_latents({13, 6, 22, RotaryStyle::kHalves, dtype, InputForm::kF32}, isa);
      check_latents({32, 64, 512, RotaryStyle::kInterleaved, dtype, coded}, isa);
    }
  });
}

TEST(LatentCache, KeepsAKeyOnce) {
  Machine machine(tested_isas().back());
  // DeepSeek-V2, table 1: (512 + 64) elements a token and layer, whatever the heads.
  EXPECT_EQ(shared_layer_bytes(machine.device, 16, 1, 576, KvDtype::kF16), 16 * 576 * 2);
  EXPECT_EQ(shared_layer_bytes(machine.device, 16, 1, 576, KvDtype::kInt8), 16 * (576 + 8));
  if (tests_a_gpu()) {
    EXPECT_EQ(shared_layer_bytes(machine.device, 16, 1, 576, KvDtype::kFp8), 16 * 576);
  } else {
    EXPECT_THROW(shared_layer_bytes(machine.device, 16, 1, 576, KvDtype::kFp8), Unsupported);
  }
}

}  // namespace
}  // namespace caravel::kernels
