#include "kernels/logits.h"

#include "kernels/op_testing.h"
#include "kernels/ref/logits.h"

namespace caravel::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(ScaleLogits, MultipliesEachWhateverTheirNumber) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    for (const int64_t width : {1, 15, 64, 1003}) {
      const auto logits = random_normal(2 * width, 1, 8.0F);
      std::vector<float> expected;
      for (const float x : logits) expected.push_back(0.0625F * x);
      const DeviceArray there(*machine.stream, logits);
      scale_logits(*machine.stream, {.logits = f32_tensor(there.data(), 2, width), .scale = 0.0625F});
      EXPECT_EQ(there.values(), expected) << width;
    }
  });
}

TEST(SoftCap, MatchesReferenceFromTinyToHuge) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    for (const float cap : {1.0F, 30.0F}) {
      std::vector<float> logits;
      for (float x = 1e-6F; x < 1e4F; x *= 1.013F) {
        logits.push_back(x);
        logits.push_back(-x);
      }
      logits.push_back(0.0F);
      std::vector<double> expected;
      for (const float x : logits) expected.push_back(ref::soft_cap(x, cap));
      const DeviceArray there(*machine.stream, logits);
      soft_cap(*machine.stream,
               {.logits = f32_tensor(there.data(), 1, static_cast<int64_t>(logits.size())), .cap = cap});
      expect_close(there.values(), expected, 0, 12 * kRounding);
    }
  });
}

TEST(LogSumExp, MatchesReferenceAtEveryWidth) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    for (const int64_t width : {1, 2, 15, 64, 100, 1000, 49152, 50001}) {
      SCOPED_TRACE("width " + std::to_string(width));
      const int64_t rows = 4;
      const int64_t stride = width + 3;
      auto logits = random_normal(rows * stride, 1, 8.0F);
      logits[static_cast<size_t>(stride)] = -kInfinity;  // a token that is not allowed
      const DeviceArray there(*machine.stream, logits);
      const DeviceArray out(*machine.stream, rows, NAN);
      const DeviceArray best_there(*machine.stream, rows, -1);
      Tensor part = f32_tensor(there.data(), rows, width);
      part.stride = stride;
      log_sum_exp(*machine.stream, {.logits = part, .log_sum_exp = out.data(), .argmax = best_there.data()});
      const std::vector<int32_t> best = best_there.values();
      std::vector<double> expected;
      for (int64_t r = 0; r < rows; ++r) {
        expected.push_back(ref::log_sum_exp(logits.data() + r * stride, width));
        EXPECT_EQ(best[static_cast<size_t>(r)], ref::argmax(logits.data() + r * stride, width));
      }
      // 16 lanes at the least; the logarithm turns a relative error into an absolute one.
      expect_close(out.values(), expected, kRounding * (static_cast<double>(width) / 16 + 8), 2 * kRounding);
    }
  });
}

TEST(LogSumExp, ARowWithNothingAllowedIsMinusInfinity) {
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    const DeviceArray logits(*machine.stream, 70, -kInfinity);
    const DeviceArray out(*machine.stream, 1, 0.0F);
    log_sum_exp(*machine.stream, {.logits = f32_tensor(logits.data(), 1, 70), .log_sum_exp = out.data()});
    EXPECT_EQ(out.values(), std::vector{-kInfinity});
  });
}

TEST(LogSumExp, SameBitsOnAnyNumberOfThreads) {
  for_each_isa([](Isa isa) {
    const auto logits = random_normal(3 * 5003, 2, 4.0F);
    std::vector<std::vector<float>> outs;
    for (const int threads : {1, 2, 3}) {
      Machine machine(isa, threads);
      const DeviceArray there(*machine.stream, logits);
      const DeviceArray out(*machine.stream, 3, NAN);
      log_sum_exp(*machine.stream, {.logits = f32_tensor(there.data(), 3, 5003), .log_sum_exp = out.data()});
      outs.push_back(out.values());
    }
    expect_same_bits(outs[0], outs[1]);
    expect_same_bits(outs[0], outs[2]);
  });
}

/// Values from a small set, so that many are equal.
std::vector<float> tied(int64_t count, uint32_t seed) {
  std::vector<float> values = random_normal(count, seed, 3.0F);
  for (float& value : values) value = std::round(value * 4) / 4;
  return values;
}

TEST(TopK, MatchesSortingWithTies) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 2);
    for (const int64_t width : {1, 5, 33, 1000, 20011}) {
      for (const int k : {1, 2, 7, 50, 1000}) {
        if (k > width) continue;
        SCOPED_TRACE("width " + std::to_string(width) + " k " + std::to_string(k));
        const int64_t rows = 3;
        const auto logits = tied(rows * width, static_cast<uint32_t>(width + k));
        const DeviceArray there(*machine.stream, logits);
        const DeviceArray values(*machine.stream, rows * k, NAN);
        const DeviceArray indices(*machine.stream, rows * k, -1);
        top_k(*machine.stream, {.logits = f32_tensor(there.data(), rows, width),
                                .k = k,
                                .values = values.data(),
                                .indices = indices.data()});
        std::vector<float> expected_values(values.size());
        std::vector<int32_t> expected(values.size());
        for (int64_t r = 0; r < rows; ++r) {
          ref::top_k(logits.data() + r * width, width, k, expected_values.data() + r * k, expected.data() + r * k);
        }
        ASSERT_EQ(indices.values(), expected);
        ASSERT_EQ(values.values(), expected_values);
      }
    }
  });
}

TEST(TokenRank, CountsThoseThatAreLarger) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    const int64_t width = 1003;
    const int64_t rows = 20;
    const auto logits = tied(rows * width, 5);
    std::vector<int32_t> tokens;
    for (int64_t r = 0; r < rows; ++r) tokens.push_back(static_cast<int32_t>(r * 311 % width));
    const DeviceArray there(*machine.stream, logits);
    const DeviceArray tokens_there(*machine.stream, tokens);
    const DeviceArray ranks_there(*machine.stream, rows, -1);
    token_rank(
        *machine.stream,
        {.logits = f32_tensor(there.data(), rows, width), .tokens = tokens_there.data(), .ranks = ranks_there.data()});
    const std::vector<int32_t> ranks = ranks_there.values();
    for (int64_t r = 0; r < rows; ++r) {
      const auto i = static_cast<size_t>(r);
      EXPECT_EQ(ranks[i], ref::token_rank(logits.data() + r * width, width, tokens[i])) << "row " << r;
    }
  });
}

}  // namespace
}  // namespace caravel::kernels
