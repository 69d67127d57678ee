#include "chat/json_scanner.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace caravel::chat {
namespace {

using Status = JsonScanner::Status;

/// Whether the scanner takes `text`, whole, for one value.
bool scans(std::string_view text) {
  JsonScanner scanner;
  for (size_t at = 0; at < text.size(); ++at) {
    const Status status = scanner.feed(text[at]);
    if (status == Status::kDone) return at + 1 == text.size();
    if (status != Status::kMore) return false;
  }
  return !text.empty() && scanner.feed(' ') == Status::kEnded;
}

TEST(JsonScanner, TakesWhatJsonReadersTake) {
  const std::string document =
      R"({"a":[1,-0.5e-3,0,10E-2,true,false,null,"",{}],"é\u00e9\"\\\n":{"b":[[],[{"c":""}]]}})";
  ASSERT_TRUE(scans(document));
  std::mt19937 random(5);
  const std::string bytes = "{}[]\",:0123456789-+.eEtrufalsn\\ \n\x01";
  int valid = 0;
  for (int round = 0; round < 20000; ++round) {
    const size_t begin = random() % document.size();
    std::string text = round % 2 == 0 ? document : document.substr(begin, 1 + random() % 12);
    if (text.empty()) continue;
    for (auto edits = 1 + random() % 2; edits > 0; --edits) {
      const size_t at = random() % text.size();
      if (random() % 2 == 0) {
        text[at] = bytes[random() % bytes.size()];
      } else {
        text.insert(at, 1, bytes[random() % bytes.size()]);
      }
    }
    if (std::string_view(" \n").find(text.front()) != std::string_view::npos ||
        std::string_view(" \n").find(text.back()) != std::string_view::npos) {
      continue;  // the scanner reads a value alone
    }
    // Stray bytes of UTF-8 are the detokenizer's to keep out.
    if (nlohmann::json::accept(text) != scans(text)) {
      const std::string shown = nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
      EXPECT_NE(shown.find("\\ufffd"), std::string::npos) << shown;
    }
    valid += scans(text) ? 1 : 0;
  }
  EXPECT_GT(valid, 1000);
}

TEST(JsonScanner, EndsWhereTheValueEnds) {
  JsonScanner scanner;
  EXPECT_EQ(scanner.feed('{'), Status::kMore);
  EXPECT_EQ(scanner.feed('}'), Status::kDone);
  scanner.reset();
  EXPECT_EQ(scanner.feed('1'), Status::kMore);
  EXPECT_EQ(scanner.feed(','), Status::kEnded);
}

TEST(JsonScanner, RefusesWhatIsNestedTooDeeply) {
  EXPECT_TRUE(scans(std::string(256, '[') + std::string(256, ']')));
  EXPECT_FALSE(scans(std::string(257, '[') + std::string(257, ']')));
}

}  // namespace
}  // namespace caravel::chat
