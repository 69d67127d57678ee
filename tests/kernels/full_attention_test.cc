#include "kernels/full_attention.h"

#include <numeric>

#include "kernels/input_values.h"
#include "kernels/op_testing.h"
#include "kernels/ref/full_attention.h"

namespace caravel::kernels {
namespace {

/// Sequences side by side, and their attention.
struct Sequences {
  Sequences(const std::vector<int>& lengths, int heads_, int head_dim_, uint32_t seed)
      : heads(heads_), head_dim(head_dim_) {
    starts.push_back(0);
    for (const int length : lengths) starts.push_back(starts.back() + length);
    qkv = random_normal(starts.back() * 3 * width(), seed);
  }
  int64_t width() const { return int64_t{heads} * head_dim; }
  /// With the host's memory.
  FullAttentionArgs args() const {
    int64_t longest = 0;
    for (size_t s = 0; s + 1 < starts.size(); ++s) longest = std::max<int64_t>(longest, starts[s + 1] - starts[s]);
    return {.qkv = f32_tensor(qkv.data(), starts.back(), 3 * width()),
            .heads = heads,
            .head_dim = head_dim,
            .scale = 1.0F / std::sqrt(static_cast<float>(head_dim)),
            .starts = starts.data(),
            .num_seqs = static_cast<int>(starts.size()) - 1,
            .max_length = longest};
  }
  std::vector<float> attend(Machine& machine, InputForm form = InputForm::kF32) const {
    Stream& stream = *machine.stream;
    FullAttentionArgs all = args();
    const DeviceArray qkv_there(stream, qkv);
    const DeviceArray starts_there(stream, starts);
    const FormedRows out(stream, form, starts.back(), width());
    const DeviceArray workspace = unwritten(
        stream, full_attention_workspace(machine.device, form, starts.back(), all.max_length, heads, head_dim));
    all.qkv.data = qkv_there.data();
    all.starts = starts_there.data();
    all.out = out.rows;
    all.workspace = workspace.data();
    full_attention(stream, all);
    return input_values(stream, out.rows);
  }

  int heads;
  int head_dim;
  std::vector<int32_t> starts;
  std::vector<float> qkv;
};

TEST(FullAttention, MatchesReferenceAtEveryLengthAndHeadSize) {
  if (tests_a_gpu()) GTEST_SKIP() << "encoders have no GPU yet";
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    for (const int head_dim : {2, 7, 16, 24, 32, 64, 80}) {
      SCOPED_TRACE("head_dim " + std::to_string(head_dim));
      const Sequences sequences({1, 2, 7, 8, 9, 31, 32, 33, 70, 5}, 3, head_dim, 1);
      std::vector<double> expected(static_cast<size_t>(sequences.starts.back() * sequences.width()));
      ref::full_attention(sequences.args(), expected.data());
      // Weights are off by what the scores are (sums of head_dim products), and so is a sum of them.
      const double tolerance = kRounding * (4 * head_dim + 70 + 16);
      expect_close(sequences.attend(machine), expected, 4 * tolerance, tolerance);
    }
  });
}

TEST(FullAttention, ASequenceIsTheSameBesideOthersAndOnAnyThreads) {
  if (tests_a_gpu()) GTEST_SKIP() << "encoders have no GPU yet";
  for_each_isa([](Isa isa) {
    const Sequences together({12, 45, 3}, 4, 32, 2);
    Machine one(isa, 1);
    Machine three(isa, 3);
    const std::vector<float> all = together.attend(three);
    expect_same_bits(together.attend(one), all);
    Sequences alone({45}, 4, 32, 3);
    alone.qkv.assign(together.qkv.begin() + 12 * 3 * together.width(),
                     together.qkv.begin() + 57 * 3 * together.width());
    expect_same_bits(alone.attend(three), std::span(all).subspan(static_cast<size_t>(12 * together.width()),
                                                                 static_cast<size_t>(45 * together.width())));
  });
}

TEST(FullAttention, WritesEightBitOutput) {
  if (tests_a_gpu()) GTEST_SKIP() << "encoders have no GPU yet";
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    const Sequences sequences({33, 8}, 2, 32, 5);
    const std::vector<float> values = sequences.attend(machine);
    const std::vector<float> quantized = sequences.attend(machine, InputForm::kQ8);
    float largest = 0;
    for (const float x : values) largest = std::max(largest, std::abs(x));
    expect_close(quantized, std::vector<double>(values.begin(), values.end()), largest / 127 * 0.51, 0);
  });
}

TEST(FullAttention, LargeScoresStayFinite) {
  if (tests_a_gpu()) GTEST_SKIP() << "encoders have no GPU yet";
  for_each_isa([](Isa isa) {
    Machine machine(isa);
    Sequences sequences({20}, 1, 8, 4);
    for (float& value : sequences.qkv) value *= 100;
    for (const float value : sequences.attend(machine)) EXPECT_TRUE(std::isfinite(value));
  });
}

}  // namespace
}  // namespace caravel::kernels
