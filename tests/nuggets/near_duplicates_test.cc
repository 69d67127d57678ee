#include "nuggets/near_duplicates.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace caravel::nuggets {
namespace {

std::vector<std::optional<Near>> find(const std::vector<std::string>& texts, double threshold = 0.8, int threads = 2) {
  ThreadPool pool(threads);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  return near_duplicates(views, threshold, pool);
}

std::vector<std::string> random_words(size_t count, std::mt19937& random) {
  std::vector<std::string> words;
  for (size_t i = 0; i < count; ++i) words.push_back(fmt::format("w{}", random() % 5000));
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += word + " ";
  return text;
}

/// Jaccard's index of the word triples, by sets of strings.
double plain_likeness(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const auto triples = [](const std::vector<std::string>& words) {
    std::set<std::string> all;
    for (size_t i = 0; i + 3 <= words.size(); ++i) all.insert(words[i] + " " + words[i + 1] + " " + words[i + 2]);
    return all;
  };
  const auto x = triples(a);
  const auto y = triples(b);
  size_t common = 0;
  for (const std::string& triple : x) common += y.count(triple);
  return static_cast<double>(common) / static_cast<double>(x.size() + y.size() - common);
}

TEST(Likeness, IsJaccardsIndexOfTriples) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    const auto a = random_words(3 + random() % 60, random);
    auto b = a;
    for (size_t i = 0; i < b.size(); ++i) {
      if (random() % 10 == 0) b[i] = fmt::format("other{}", random() % 3);
    }
    EXPECT_DOUBLE_EQ(likeness(joined(a), joined(b)), plain_likeness(a, b));
  }
}

TEST(Likeness, SeesPastCaseSpaceAndCompatibleForms) {
  EXPECT_EQ(likeness("Name the  capital\nof France", " name the capital of france "), 1);
  EXPECT_EQ(likeness("caf\xC3\xA9 au lait noir", "cafe\xCC\x81 au lait noir"), 1) << "composed and decomposed";
  EXPECT_EQ(likeness("\xEF\xBC\xA1\xEF\xBC\xA2 is a word", "ab is a word"), 1) << "full width";
  EXPECT_EQ(likeness("\xC3\x84RGER IST DA HEUTE", "\xC3\xA4rger ist da heute"), 1);
}

TEST(Likeness, SeesSigns) {
  EXPECT_LT(likeness("what is 12 + 7", "what is 12 - 7"), 0.5);
  EXPECT_LT(likeness("what is 12+7", "what is 12+8"), 0.8);
}

TEST(Likeness, OfTextsWithoutSpacesBetweenWords) {
  const std::string chinese = "请用一句话解释什么是机器学习，并且举一个日常生活中的例子来说明";
  const std::string changed = "请用一句话解释什么是机器学习，并且举一个日常生活中的例子来说清";
  const std::string other = "如何在家里做一道简单又好吃的番茄炒蛋？需要准备哪些材料和调料呢";
  EXPECT_GT(likeness(chinese, changed), 0.85);
  EXPECT_LT(likeness(chinese, changed), 1);
  EXPECT_EQ(likeness(chinese, other), 0);
  const std::string thai = "กรุณาอธิบายความหมายของการเรียนรู้ของเครื่องด้วยประโยคเดียว";
  EXPECT_GT(likeness(thai, thai + "ค่ะ"), 0.8);
}

TEST(Likeness, OfLittleAndOfOddTexts) {
  EXPECT_EQ(likeness("", " \n"), 1);
  EXPECT_EQ(likeness("", "a"), 0);
  EXPECT_EQ(likeness("yes", "Yes"), 1);
  EXPECT_EQ(likeness("yes", "no"), 0);
  EXPECT_EQ(likeness("a \xFF b \xE2\x82", "a \xEF\xBF\xBD b \xEF\xBF\xBD"), 1) << "broken bytes are U+FFFD";
}

TEST(NearDuplicates, TheFirstIsKeptAndNamed) {
  const std::string text = "tell me about the history of the roman empire in ten sentences for a child";
  const auto near = find({"something else that nobody else says at all", text, text, "", text + ".", " "});
  ASSERT_EQ(near.size(), 6U);
  EXPECT_FALSE(near[0]);
  EXPECT_FALSE(near[1]);
  ASSERT_TRUE(near[2]);
  EXPECT_EQ(near[2]->row, 1U);
  EXPECT_EQ(near[2]->likeness, 1);
  EXPECT_FALSE(near[3]);
  ASSERT_TRUE(near[4]);
  EXPECT_EQ(near[4]->row, 1U);
  EXPECT_EQ(near[4]->likeness, likeness(text, text + "."));
  ASSERT_TRUE(near[5]) << "two empty texts";
  EXPECT_EQ(near[5]->row, 3U);
}

// What is found is near for sure; of what is near, no more is missed than sixteen bands of eight miss.
TEST(NearDuplicates, FindsWhatBruteForceFinds) {
  std::mt19937 random(2);
  std::vector<std::string> texts;
  for (int i = 0; i < 100; ++i) {
    const auto words = random_words(40 + random() % 40, random);
    texts.push_back(joined(words));
    for (size_t copy = random() % 3; copy > 0; --copy) {
      auto changed = words;
      for (size_t edits = random() % 4; edits > 0; --edits) changed[random() % changed.size()] = "changed";
      texts.push_back(joined(changed));
    }
  }
  const auto found = find(texts);
  int near = 0;
  int missed = 0;
  for (size_t row = 0; row < texts.size(); ++row) {
    std::optional<size_t> first;
    for (size_t other = 0; other < row && !first; ++other) {
      if (!found[other] && likeness(texts[row], texts[other]) >= 0.8) first = other;
    }
    if (found[row]) {
      ASSERT_TRUE(first) << row;
      EXPECT_EQ(found[row]->likeness, likeness(texts[row], texts[found[row]->row]));
      EXPECT_GE(found[row]->likeness, 0.8);
      EXPECT_FALSE(found[found[row]->row]) << "what is named is kept";
    }
    if (first) ++near;
    if (first && !found[row]) ++missed;
  }
  EXPECT_GT(near, 40);
  EXPECT_LE(missed, near / 20);
}

// At a likeness of s a pair shares a band with probability 1 - (1 - s^8)^16.
TEST(NearDuplicates, FindPairsAsOftenAsTheBandsPromise) {
  std::mt19937 random(3);
  for (const size_t common : {80U, 60U}) {
    // Texts of one-unit shingles would be one shingle: so triples that are apart, each a shingle of its own.
    std::vector<std::string> texts;
    constexpr int kPairs = 300;
    for (int pair = 0; pair < kPairs; ++pair) {
      // A run of `words` words has `words` - 2 triples; the pair has a common beginning.
      const auto begin = random_words(common * 2 + 2, random);
      const size_t own = 100 - common;  // triples of each that the other lacks: (2 common) / (2 common + 2 own)
      for (int side = 0; side < 2; ++side) {
        auto words = begin;
        for (const std::string& word : random_words(own, random)) words.push_back(word);
        texts.push_back(joined(words));
      }
    }
    const double s = static_cast<double>(common) / 100;
    double met = 1;
    for (int band = 0; band < 16; ++band) met *= 1 - std::pow(s, 8);
    met = 1 - met;
    const auto near = find(texts, s - 0.05);
    int found = 0;
    for (size_t i = 1; i < texts.size(); i += 2) {
      if (near[i] && near[i]->row == i - 1) ++found;
    }
    EXPECT_NEAR(static_cast<double>(found) / kPairs, met, 4 * std::sqrt(met * (1 - met) / kPairs)) << "likeness " << s;
  }
}

TEST(NearDuplicates, AreTheSameWhateverThePool) {
  std::mt19937 random(4);
  std::vector<std::string> texts;
  for (int i = 0; i < 400; ++i) {
    auto words = random_words(20, random);
    if (i > 100 && i % 3 == 0) texts.push_back(texts[random() % texts.size()] + "more");
    texts.push_back(joined(words));
  }
  const auto one = find(texts, 0.7, 1);
  for (const int threads : {2, 5}) {
    const auto many = find(texts, 0.7, threads);
    for (size_t i = 0; i < one.size(); ++i) {
      ASSERT_EQ(one[i].has_value(), many[i].has_value());
      if (one[i]) {
        EXPECT_EQ(one[i]->row, many[i]->row);
      }
    }
  }
}

// All rows the same, and all rows of one mould yet none near to another: twice as many take twice as long.
TEST(NearDuplicates, TakeLinearTime) {
  std::mt19937 random(5);
  const auto mould = random_words(60, random);
  const auto seconds = [&](size_t rows, bool same) {
    std::vector<std::string> texts;
    for (size_t i = 0; i < rows; ++i) {
      auto words = mould;
      if (!same) {
        for (int edit = 0; edit < 5; ++edit) words[random() % words.size()] = fmt::format("x{}", random());
      }
      texts.push_back(joined(words));
    }
    const std::clock_t start = std::clock();  // of the processor, whoever else uses it
    find(texts, 0.95, 1);
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  };
  for (const bool same : {true, false}) {
    const double few = seconds(250, same);
    EXPECT_LT(seconds(2000, same), 8 * 3 * few + 0.05) << "quadratic would be 64 times";
  }
}

}  // namespace
}  // namespace caravel::nuggets
