#include "chat/json_mender.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <random>

namespace caravel::chat {
namespace {

using Status = JsonMender::Status;

/// What comes of `text`, if all of it is one value.
std::optional<std::string> mended(std::string_view text) {
  JsonMender mender;
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    const Status status = mender.feed(text[at], out);
    if (status == Status::kDone) return at + 1 == text.size() ? std::optional(out) : std::nullopt;
    if (status != Status::kMore) return std::nullopt;
  }
  const bool ended = !text.empty() && mender.feed(' ', out) == Status::kEnded;
  return ended ? std::optional(out) : std::nullopt;
}

TEST(JsonMender, StrictJsonComesOutAsItWentIn) {
  const std::string document =
      R"({"a":[1,-0.5e-3,0,10E-2,true,false,null,"",{}], "é\u00e9\"\\\n" :{"b":[[],[{"c":""}]]}, "d" : 0 })";
  EXPECT_EQ(mended(document), document);
  std::mt19937 random(5);
  const std::string bytes = "{}[]\",:0123456789-+.eEtrufalsn\\ \n\x01'Tx";
  int strict = 0;
  int read = 0;
  for (int round = 0; round < 20000; ++round) {
    const size_t begin = random() % document.size();
    std::string text = round % 2 == 0 ? document : document.substr(begin, 1 + random() % 12);
    for (auto edits = random() % 3; edits > 0 && !text.empty(); --edits) {
      const size_t at = random() % text.size();
      if (random() % 2 == 0) {
        text[at] = bytes[random() % bytes.size()];
      } else {
        text.insert(at, 1, bytes[random() % bytes.size()]);
      }
    }
    if (text.empty() || is_json_space(text.front()) || is_json_space(text.back())) continue;  // a value alone is read
    // Stray bytes of UTF-8 are the detokenizer's to keep out.
    const std::string shown = nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    if (shown.find("\\ufffd") != std::string::npos) continue;
    const auto out = mended(text);
    if (nlohmann::json::accept(text)) {
      EXPECT_EQ(out, text);
      ++strict;
    } else if (out && *out != text) {  // the same: a number that no double holds
      EXPECT_TRUE(nlohmann::json::accept(*out)) << text << " became " << *out;
      ++read;
    }
  }
  EXPECT_GT(strict, 1000);
  EXPECT_GT(read, 100);
}

TEST(JsonMender, ReadsWhatCanMeanOneThingAlone) {
  EXPECT_EQ(mended("{\"code\": \"if x:\n\treturn\r\x01\"}"), R"({"code": "if x:\n\treturn\r\u0001"})");
  EXPECT_EQ(mended(R"({'a': 'say "hi"', 'b': 'it\'s', "c": "it's"})"),
            R"({"a": "say \"hi\"", "b": "it's", "c": "it's"})");
  EXPECT_EQ(mended(R"({"a": True, "b": [False, None,], "c": {},})"), R"({"a": true, "b": [false, null], "c": {}})");
  EXPECT_EQ(mended("{\"a\": 1 , \n}"), "{\"a\": 1  \n}");
  EXPECT_EQ(mended(R"({city: "Rome", $a_1-b : {x:[]}})"), R"({"city": "Rome", "$a_1-b" : {"x":[]}})");
  EXPECT_EQ(mended(R"({"re": "\d+\.\w", "path": "C:\Users\x41", "tex": "\usepackage"})"),
            R"({"re": "\\d+\\.\\w", "path": "C:\\Users\u0041", "tex": "\\usepackage"})");
  EXPECT_EQ(mended("{\"sh\": \"a \\\n b\"}"), R"({"sh": "a \\\n b"})");
  EXPECT_EQ(mended("None"), "null");
}

TEST(JsonMender, RefusesWhatCouldMeanSeveral) {
  for (const char* text : {"{\"a\": oops}", "{\"a\" 1}", "{\"a\": }", "{,}", "[,]", "[1,,2]", "{1: 2}", "{None: 2}",
                           "{a b: 1}", "{\"a\": 01}", "{\"a\": 1.}", "{\"a\": 'it's'}", "{\"a\": \"say \"hi\"\"}",
                           "{\"a\": 1]", "[1,}", "{\"a\": NaN}", "{\"a\": \"b\" \"c\"}"}) {
    EXPECT_EQ(mended(text), std::nullopt) << text;
  }
}

TEST(JsonMender, EndsWhereTheValueEnds) {
  std::string out;
  JsonMender mender;
  EXPECT_EQ(mender.feed('{', out), Status::kMore);
  EXPECT_EQ(mender.feed('}', out), Status::kDone);
  mender.reset();
  EXPECT_EQ(mender.feed('1', out), Status::kMore);
  EXPECT_EQ(mender.feed(',', out), Status::kEnded);
  EXPECT_EQ(out, "{}1");
}

TEST(JsonMender, SaysWhatWaitsAndWhatIsMissing) {
  const auto state = [](std::string_view text) {
    JsonMender mender;
    std::string out;
    for (const char byte : text) mender.feed(byte, out);
    return mender.held() + "|" + mender.closing();
  };
  EXPECT_EQ(state(R"({"a": [1, {"b": "c")"), "|}]}");
  EXPECT_EQ(state(R"({"a": [true<)"), "|]}");
  EXPECT_EQ(state(R"({"a": [1, )"), ", |");
  EXPECT_EQ(state(R"({"a": Tru)"), "Tru|");
  EXPECT_EQ(state(R"({"a": "\u00)"), "\\u00|");
  EXPECT_EQ(state(R"({"a": )"), "|");
  EXPECT_EQ(state("{"), "|}");
}

TEST(JsonMender, RefusesWhatIsNestedTooDeeply) {
  EXPECT_TRUE(mended(std::string(256, '[') + std::string(256, ']')));
  EXPECT_FALSE(mended(std::string(257, '[') + std::string(257, ']')));
}

}  // namespace
}  // namespace caravel::chat
