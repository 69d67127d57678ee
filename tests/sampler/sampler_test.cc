#include "sampler/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>

#include "caravel/result.h"
#include "device/deferred_device.h"
#include "device/device_array.h"
#include "fields/sampling.h"
#include "sampler/reference.h"
#include "sampler/token_bits.h"

namespace caravel::sampler {
namespace {

/// Greedy, and nothing left out, unless a test says so.
const SamplingParams kAllTokens{.temperature = 0.0F, .top_k = 0, .top_p = 1.0F, .min_p = 0.0F};

constexpr size_t kVocab = 97;

std::vector<float> random_logits(size_t count, uint32_t seed, float spread = 2.0F) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, spread);
  std::vector<float> logits(count);
  for (float& logit : logits) logit = normal(random);
  return logits;
}

/// A row's whole result.
TokenLogprob result_of(const SampleResults& results, size_t row) {
  TokenLogprob result{
      .token = results.token(row), .logprob = results.logprob(row), .rank = results.rank(row), .top = {}};
  const auto tokens = results.top_tokens(row);
  for (size_t i = 0; i < tokens.size(); ++i) result.top.emplace_back(tokens[i], results.top_logprob(row, i));
  return result;
}

/// A sampler on a device of its own, of the kind that the tests run on.
struct Rig {
  explicit Rig(int threads, size_t vocab_size = kVocab)
      : opened(open_test_device(threads, available_isas().back())), vocab(vocab_size) {}

  void begin(const DrawBegin& begin) { sampler.begin(*stream, begin); }

  const SampleResults& sample(const std::vector<float>& logits, const std::vector<SampleRow>& rows,
                              const std::vector<uint32_t>& masks = {}) {
    staged.begin(MirroredArrays::bytes_of<float>(logits.size()) + MirroredArrays::bytes_of<SampleRow>(rows.size()) +
                 MirroredArrays::bytes_of<uint32_t>(masks.size()));
    const auto there = staged.add<float>(logits.size());
    std::ranges::copy(logits, there.host.begin());
    const SampleRow* const rows_there = staged.add(std::span(rows));
    const uint32_t* const masks_there = staged.add(std::span(masks));
    staged.to_device(*stream);
    results.begin(rows);
    sampler.sample(
        *stream,
        {.logits = there.device, .rows = rows, .staged = rows_there, .masks = masks_there, .results = &results});
    results.to_host(*stream);
    staged.to_host(*stream);
    stream->synchronize();
    // NaN is none of the values that are compared.
    EXPECT_TRUE(std::ranges::equal(there.host, logits, [](float a, float b) {
      return a == b || (std::isnan(a) && std::isnan(b));
    })) << "the model's logits were changed";
    return results;
  }

  std::unique_ptr<Device> opened;
  Device& device = *opened;
  size_t vocab;
  std::unique_ptr<Stream> stream = device.make_stream();
  Sampler sampler{device, static_cast<int64_t>(vocab)};
  SampleResults results{device};
  MirroredArrays staged{device};
};

class SamplerTest : public testing::Test {
 protected:
  /// Draws for one sequence after `prompt` and `output`.
  struct Drawing {
    std::vector<int32_t> prompt = {1, 2, 3};
    std::vector<int32_t> output;
    std::vector<int32_t> end_ids;
    std::vector<std::vector<int32_t>> bad_words;
    uint64_t seed = 0;
    uint32_t index = 0;
  };

  static SamplingParams resolved(SamplingParams params) {
    resolve_sampling(params, {}, kAllTokens);
    return params;
  }

  /// A slot has drawn drawing.output after drawing.prompt.
  static void begin(Rig& rig, int32_t slot, const SamplingParams& params, const Drawing& drawing) {
    auto rules = std::make_shared<SamplingRules>(rules_of(resolved(params)));
    rules->seed = drawing.seed;
    rules->end_ids = drawing.end_ids;
    rules->bad_words = drawing.bad_words;
    rig.begin({.slot = slot, .rules = rules, .index = drawing.index, .prompt = drawing.prompt});
    for (const int32_t token : drawing.output) {
      std::vector<uint32_t> mask(words_of(rig.vocab));
      mask[static_cast<size_t>(token) / 32] |= 1U << token % 32;
      ASSERT_EQ(rig.sample(std::vector<float>(rig.vocab), {{.sampler = slot, .mask = 0}}, mask).token(0), token);
    }
  }

  int32_t draw(const std::vector<float>& logits, const SamplingParams& params, const Drawing& drawing) {
    begin(rig_, 0, params, drawing);
    return rig_.sample(logits, {{.sampler = 0}}).token(0);
  }

  /// Chi-square of draws over seeds against the reference.
  void expect_distribution(const std::vector<float>& logits, const SamplingParams& params, Drawing drawing,
                           const std::vector<int32_t>& forbidden = {}) {
    const std::vector<double> expected =
        reference_distribution(logits, resolved(params), drawing.prompt, drawing.output, forbidden);
    constexpr int kDraws = 4000;
    constexpr int kRows = 50;  // drawn at once
    std::vector<float> batch;
    for (int r = 0; r < kRows; ++r) batch.insert(batch.end(), logits.begin(), logits.end());
    std::vector<int> counts(kVocab, 0);
    for (int i = 0; i < kDraws; i += kRows) {
      std::vector<SampleRow> rows;
      for (int r = 0; r < kRows; ++r) {
        drawing.seed = static_cast<uint64_t>(i + r) * 7919;
        begin(rig_, r, params, drawing);
        rows.push_back({.sampler = r});
      }
      const SampleResults& results = rig_.sample(batch, rows);
      for (size_t r = 0; r < rows.size(); ++r) ++counts[static_cast<size_t>(results.token(r))];
    }
    double chi_square = 0;
    double rest_expected = 0;
    double rest_counted = 0;
    int cells = 0;
    for (size_t token = 0; token < kVocab; ++token) {
      if (expected[token] == 0) {
        EXPECT_EQ(counts[token], 0) << "token " << token << " was drawn, but is ruled out";
        continue;
      }
      const double mean = expected[token] * kDraws;
      if (mean < 8) {  // too rare for a cell of its own
        rest_expected += mean;
        rest_counted += counts[token];
        continue;
      }
      chi_square += (counts[token] - mean) * (counts[token] - mean) / mean;
      ++cells;
    }
    if (rest_expected > 0) {
      chi_square += (rest_counted - rest_expected) * (rest_counted - rest_expected) / std::max(rest_expected, 1.0);
      ++cells;
    }
    const double freedom = std::max(cells - 1, 1);
    EXPECT_LT(chi_square, freedom + 5 * std::sqrt(2 * freedom)) << cells << " cells";
  }

  Rig rig_{1};
};

TEST_F(SamplerTest, GreedyTakesTheLargestAndTheLowestAmongEquals) {
  auto logits = random_logits(kVocab, 1);
  logits[40] = logits[60] = 50.0F;
  EXPECT_EQ(draw(logits, {}, {}), 40);
  // The same through the slower path of a changed row.
  EXPECT_EQ(draw(logits, {.logit_bias = {{3, 0.5F}}}, {}), 40);
}

TEST_F(SamplerTest, TemperatureDrawsFromTheSoftmax) {
  expect_distribution(random_logits(kVocab, 2), {.temperature = 1.0F}, {});
  expect_distribution(random_logits(kVocab, 3), {.temperature = 0.6F}, {});
  expect_distribution(random_logits(kVocab, 4), {.temperature = 1.7F}, {});
}

TEST_F(SamplerTest, EachNarrowingDrawsFromWhatItLeaves) {
  const auto logits = random_logits(kVocab, 5);
  for (const int k : {1, 2, 7, 96, 97, 1000}) expect_distribution(logits, {.temperature = 1.0F, .top_k = k}, {});
  for (const float p : {0.01F, 0.5F, 0.9F, 0.999F}) expect_distribution(logits, {.temperature = 1.0F, .top_p = p}, {});
  for (const float p : {0.02F, 0.3F, 1.0F}) expect_distribution(logits, {.temperature = 1.0F, .min_p = p}, {});
  for (const float p : {0.05F, 0.5F, 0.95F}) expect_distribution(logits, {.temperature = 1.0F, .typical_p = p}, {});
}

TEST_F(SamplerTest, AllNarrowingsTogetherKeepTheirOrder) {
  for (uint32_t seed = 6; seed < 10; ++seed) {
    expect_distribution(random_logits(kVocab, seed),
                        {.temperature = 0.8F, .top_k = 40, .top_p = 0.85F, .min_p = 0.05F, .typical_p = 0.9F}, {});
  }
}

TEST_F(SamplerTest, PenaltiesCountWhatTheyShould) {
  const auto logits = random_logits(kVocab, 10);
  const Drawing drawing{.prompt = {1, 2, 3, 3, 50}, .output = {3, 7, 7, 7, 60}};
  expect_distribution(logits, {.temperature = 1.0F, .repetition_penalty = 1.5F}, drawing);
  expect_distribution(logits, {.temperature = 1.0F, .repetition_penalty = 0.7F}, drawing);
  expect_distribution(logits, {.temperature = 1.0F, .presence_penalty = 1.5F}, drawing);
  expect_distribution(logits, {.temperature = 1.0F, .frequency_penalty = -0.8F}, drawing);
  expect_distribution(
      logits, {.temperature = 1.0F, .repetition_penalty = 1.2F, .presence_penalty = 0.5F, .frequency_penalty = 0.3F},
      drawing);
}

TEST_F(SamplerTest, PromptTokensAreNotPresent) {
  std::vector<float> logits(kVocab, 0.0F);
  logits[2] = 1.0F;
  logits[4] = 0.5F;
  EXPECT_EQ(draw(logits, {.presence_penalty = 2.0F}, {}), 2);
  EXPECT_EQ(draw(logits, {.presence_penalty = 2.0F}, {.output = {2}}), 4);
}

TEST_F(SamplerTest, BiasAndAllowedIds) {
  const auto logits = random_logits(kVocab, 11);
  expect_distribution(logits, {.temperature = 1.0F, .logit_bias = {{5, 3.0F}, {6, -INFINITY}, {5, 1.0F}}}, {});
  expect_distribution(logits, {.temperature = 1.0F, .allowed_token_ids = {90, 3, 8, 4}}, {});
  expect_distribution(logits, {.temperature = 1.0F, .top_k = 2, .allowed_token_ids = {90, 3, 8, 4}}, {});
}

TEST_F(SamplerTest, MinTokensHoldsTheEndBack) {
  std::vector<float> logits(kVocab, 0.0F);
  logits[9] = 5.0F;
  logits[8] = 4.0F;
  logits[7] = 3.0F;
  const SamplingParams params{.min_tokens = 2};
  EXPECT_EQ(draw(logits, params, {.end_ids = {9, 8}}), 7);
  EXPECT_EQ(draw(logits, params, {.output = {1}, .end_ids = {9, 8}}), 7);
  EXPECT_EQ(draw(logits, params, {.output = {1, 1}, .end_ids = {9, 8}}), 9);
}

TEST_F(SamplerTest, BadWordsAreNotCompleted) {
  std::vector<float> logits(kVocab, 0.0F);
  logits[9] = 5.0F;
  logits[8] = 4.0F;
  const std::vector<std::vector<int32_t>> words = {{9}, {3, 4, 8}};
  EXPECT_EQ(draw(logits, {}, {.bad_words = words}), 8);
  EXPECT_EQ(draw(logits, {}, {.output = {4}, .bad_words = words}), 0);  // the prompt ends in 3
  EXPECT_EQ(draw(logits, {}, {.output = {4, 4}, .bad_words = words}), 8);
  EXPECT_EQ(draw(logits, {}, {.prompt = {4}, .bad_words = words}), 8);
}

TEST_F(SamplerTest, ForbiddingEverythingStillDrawsWhatIsAllowed) {
  const auto logits = random_logits(kVocab, 12);
  for (const float temperature : {0.0F, 1.0F}) {
    EXPECT_EQ(draw(logits, {.temperature = temperature, .allowed_token_ids = {30}}, {.bad_words = {{30}}}), 30);
  }
}

TEST_F(SamplerTest, BrokenLogitsDrawSomeToken) {
  std::vector<float> logits(kVocab, NAN);
  for (const float temperature : {0.0F, 1.0F}) {
    const int32_t token = draw(logits, {.temperature = temperature, .top_k = 5, .top_p = 0.5F}, {});
    EXPECT_GE(token, 0);
    EXPECT_LT(token, static_cast<int32_t>(kVocab));
  }
}

TEST_F(SamplerTest, ARowDependsOnNothingBesideIt) {
  constexpr size_t kRows = 33;
  auto logits = random_logits(kVocab * kRows, 13);
  Rig alone(3);
  std::vector<SampleRow> rows;
  for (uint32_t r = 0; r < kRows; ++r) {
    SamplingParams params{.temperature = r % 3 == 0 ? 0.0F : 1.0F};
    params.top_p = r % 2 == 0 ? 0.8F : 1.0F;
    params.repetition_penalty = r % 4 == 1 ? 1.3F : 1.0F;
    const auto slot = static_cast<int32_t>(r);
    for (Rig* rig : {&rig_, &alone}) {
      begin(*rig, slot, params, {.prompt = {1, 2, 3}, .output = {4}, .seed = 99, .index = r % 5});
    }
    rows.push_back({.sampler = slot, .top = static_cast<int>(r % 4) - 1});
  }
  const SampleResults& together = rig_.sample(logits, rows);
  for (size_t r = 0; r < kRows; ++r) {
    const auto begin = logits.begin() + static_cast<ptrdiff_t>(r * kVocab);
    const SampleResults& one = alone.sample({begin, begin + kVocab}, {rows[r]});
    EXPECT_EQ(one.token(0), together.token(r));
    EXPECT_EQ(one.logprob(0), together.logprob(r));
    if (rows[r].top < 0) continue;
    EXPECT_EQ(one.rank(0), together.rank(r));
    EXPECT_EQ(result_of(one, 0).top, result_of(together, r).top);
  }
}

TEST_F(SamplerTest, SeedIndexAndPositionEachChangeTheDraws) {
  const std::vector<float> flat(kVocab, 0.0F);
  const SamplingParams params{.temperature = 1.0F};
  const auto answer = [&](uint64_t seed, uint32_t index) {
    Drawing drawing{.seed = seed, .index = index};
    for (int i = 0; i < 12; ++i) drawing.output.push_back(draw(flat, params, drawing));
    return drawing.output;
  };
  EXPECT_EQ(answer(1, 0), answer(1, 0));
  EXPECT_NE(answer(1, 0), answer(2, 0));
  EXPECT_NE(answer(1, 0), answer(1, 1));
}

TEST_F(SamplerTest, XtcLeavesTheLeastLikelyOfTheTopChoices) {
  std::vector<float> logits(kVocab, -4.0F);
  logits[5] = 3.0F;
  logits[50] = 2.8F;
  logits[70] = 2.5F;
  expect_distribution(logits, {.temperature = 1.0F, .xtc_probability = 1.0F, .xtc_threshold = 0.1F}, {});
  expect_distribution(logits, {.temperature = 1.0F, .xtc_probability = 0.3F, .xtc_threshold = 0.1F}, {});
  // Behind min-p, whose survivors' probabilities count.
  expect_distribution(logits, {.temperature = 1.0F, .min_p = 0.7F, .xtc_probability = 1.0F, .xtc_threshold = 0.4F}, {});
  // A single choice at the threshold stays, and so does what a greedy answer takes.
  expect_distribution(logits, {.temperature = 1.0F, .xtc_probability = 1.0F, .xtc_threshold = 0.35F}, {});
  EXPECT_EQ(draw(logits, {.xtc_probability = 1.0F}, {}), 5);
}

TEST_F(SamplerTest, LogprobsAreTheModelsBeforeAnyPass) {
  auto logits = random_logits(kVocab * 2, 14);
  begin(rig_, 0, {.temperature = 0.5F, .top_k = 1, .logit_bias = {{17, 100.0F}}}, {});
  const SampleResults& results = rig_.sample(logits, {{.sampler = 0, .top = 5}, {.token = 23, .top = 5}});
  EXPECT_EQ(results.token(0), 17);
  EXPECT_EQ(results.token(1), 23);
  for (size_t r = 0; r < 2; ++r) {
    const std::vector<float> row(logits.begin() + static_cast<ptrdiff_t>(r * kVocab),
                                 logits.begin() + static_cast<ptrdiff_t>((r + 1) * kVocab));
    const auto p = reference_distribution(row, resolved({.temperature = 1.0F}), {}, {});
    const TokenLogprob result = result_of(results, r);
    const auto token = static_cast<size_t>(result.token);
    EXPECT_NEAR(result.logprob, std::log(p[token]), 1e-5);
    EXPECT_EQ(result.rank, 1 + std::count_if(p.begin(), p.end(), [&](double v) { return v > p[token]; }));
    ASSERT_EQ(result.top.size(), 5U);
    for (int i = 0; i < 5; ++i) {
      const auto id = static_cast<size_t>(result.top[static_cast<size_t>(i)].first);
      const float logprob = result.top[static_cast<size_t>(i)].second;
      EXPECT_EQ(std::count_if(p.begin(), p.end(), [&](double v) { return v > p[id]; }), i);
      EXPECT_NEAR(logprob, std::log(p[id]), 1e-5);
    }
  }
}

TEST_F(SamplerTest, ALargeVocabularyNarrowsAsTheReferenceDoes) {
  constexpr size_t kLarge = 50'021;
  Rig rig(1, kLarge);
  for (const float spread : {3.0F, 0.1F}) {  // few tokens have most of the mass, or all have some
    const auto logits = random_logits(kLarge, 15, spread);
    for (const SamplingParams& params :
         {SamplingParams{.temperature = 1.0F, .top_p = 0.3F}, SamplingParams{.temperature = 1.0F, .typical_p = 0.3F},
          SamplingParams{.temperature = 0.7F, .top_k = 50, .top_p = 0.8F, .min_p = 0.05F},
          SamplingParams{.temperature = 1.0F, .top_k = 3000}, SamplingParams{.temperature = 1.3F, .min_p = 0.4F},
          SamplingParams{.temperature = 1.0F, .top_k = 5000, .top_p = 0.9F, .typical_p = 0.6F}}) {
      const auto p = reference_distribution(logits, resolved(params), {}, {});
      double seen = 0;  // how many tokens are at least as likely as what was drawn, as a share
      constexpr int kDraws = 50;
      for (uint64_t seed = 0; seed < kDraws; ++seed) {
        begin(rig, 0, params, {.seed = seed});
        const double drawn = p[static_cast<size_t>(rig.sample(logits, {{.sampler = 0}}).token(0))];
        EXPECT_GT(drawn, 0);
        for (const double each : p) seen += each > drawn ? each : each == drawn ? each / 2 : 0;
      }
      // The mass of what is likelier than the drawn one is uniform: its mean over 50 has a deviation of 0.041.
      EXPECT_NEAR(seen / kDraws, 0.5, 0.2);
    }
  }
}

TEST_F(SamplerTest, AMaskThatLeavesNoneIsADeadEndThatIsNotTakenUp) {
  const auto logits = random_logits(kVocab, 16);
  begin(rig_, 0, {.logit_bias = {{40, -INFINITY}}}, {});
  std::vector<uint32_t> masks(2 * words_of(kVocab));
  masks[words_of(kVocab) + 1] = 1U << 8;  // the second mask has token 40 alone
  const SampleResults& results = rig_.sample(logits, {{.sampler = 0, .mask = 1}}, masks);
  EXPECT_TRUE(results.dead_end(0));
  const int32_t drawn = draw(logits, {}, {});
  begin(rig_, 1, {}, {});
  EXPECT_FALSE(rig_.sample(logits, {{.sampler = 1}}).dead_end(0));
  EXPECT_EQ(rig_.results.token(0), drawn);
  EXPECT_EQ(download<int32_t>(*rig_.stream, rig_.sampler.last_draws().data(), 2), (std::vector{drawn, drawn}));
}

TEST_F(SamplerTest, ASlotBeginsAnewInTheStreamsOrder) {
  // A flat distribution: what is drawn says by which rules it was.
  const std::vector<float> flat(kVocab, 0.0F);
  const auto only = [&](int32_t token) {
    return DrawBegin{.slot = 300,
                     .rules = std::make_shared<SamplingRules>(SamplingRules{.allowed_token_ids = {token}})};
  };
  const DeviceArray<float> logits(*rig_.stream, flat);
  const std::vector<SampleRow> rows = {{.sampler = 300}};
  const DeviceArray<SampleRow> staged(*rig_.stream, rows);
  std::vector<std::unique_ptr<SampleResults>> results;
  rig_.begin({.slot = 2, .rules = only(1).rules});
  for (const int32_t token : {5, 6, 7}) {
    rig_.begin(only(token));
    rig_.begin(only(token + 10));
    results.push_back(std::make_unique<SampleResults>(rig_.device));
    results.back()->begin(rows);
    rig_.sampler.sample(
        *rig_.stream,
        {.logits = logits.data(), .rows = rows, .staged = staged.data(), .results = results.back().get()});
    results.back()->to_host(*rig_.stream);
  }
  rig_.stream->synchronize();
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(results[i]->token(0), 15 + static_cast<int32_t>(i));
}

}  // namespace
}  // namespace caravel::sampler
