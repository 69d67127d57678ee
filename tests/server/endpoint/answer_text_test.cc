#include "server/endpoint/answer_text.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace caravel::server {
namespace {

TEST(AnswerText, IsTheSameTextHoweverLongItsListsAre) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    AnswerText out;
    std::string expected;
    for (uint32_t i = 0; i <= random() % 4; ++i) {
      Json made = Json::object();
      Json plain = Json::object();
      for (uint32_t j = 0; j < random() % 4; ++j) {
        const size_t count = random() % 3 == 0 ? random() % 20'000 : random() % 20;
        const std::string name = std::to_string(j);
        Json list = Json::array();
        for (size_t k = 0; k < count; ++k) list.push_back(k * j);
        plain[name] = {{"list", std::move(list)}, {"text", "\x01" + name + "\x01"}};
        made[name] = {{"list", out.list(count, [j](size_t k, std::string& text) { text += std::to_string(k * j); })},
                      {"text", "\x01" + name + "\x01"}};
      }
      out.add_text("data: ");
      out.add_json(made);
      expected += "data: " + to_text(plain);
    }
    std::string sum;
    while (!out.empty()) {
      std::string piece;
      out.take(piece);
      ASSERT_FALSE(piece.empty());
      sum += piece;
    }
    ASSERT_EQ(sum, expected) << "round " << round;
  }
}

TEST(AnswerText, LongListsAreMadePieceByPiece) {
  AnswerText out;
  size_t made = 0;
  constexpr size_t kCount = 100'000;
  const auto write = [&](size_t i, std::string& text) {
    EXPECT_EQ(i, made++);
    text += "123456789";
  };
  out.add_json(
      {{"short", out.list(3, [](size_t, std::string& text) { text += "0"; })}, {"long", out.list(kCount, write)}});
  EXPECT_TRUE(out.is_long());
  EXPECT_LT(made, kCount / 100);
  std::string sum;
  size_t pieces = 0;
  for (; !out.empty(); ++pieces) {
    std::string piece;
    out.take(piece);
    EXPECT_LT(piece.size(), AnswerText::kPiece + 100);
    sum += piece;
  }
  EXPECT_EQ(made, kCount);
  EXPECT_EQ(pieces, (10 * kCount) / AnswerText::kPiece + 1);
  EXPECT_TRUE(sum.starts_with(R"({"short":[0,0,0],"long":[123456789,123456789,)"));
  EXPECT_TRUE(sum.ends_with("]}"));
}

}  // namespace
}  // namespace caravel::server
