#include "server/web/feed_encoder.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace caravel::server::web {
namespace {

using nlohmann::json;

EngineReport three_of_eight() {
  EngineReport report{.stats = {.running_requests = 1, .total_blocks = 8, .used_blocks = 3}, .now = 2};
  report.blocks.resize(8);
  for (int i : {2, 3, 4}) report.blocks[static_cast<size_t>(i)] = {.owner = 7, .references = 1};
  report.owners = {{.number = 7, .id = "seven"}};
  report.steps = {{.number = 1, .end = 1.5, .seconds = 0.5, .prefill_tokens = 40, .running = 1}};
  return report;
}

TEST(FeedEncoder, TheFirstEventTellsAllAndTheNextWhatChanged) {
  FeedEncoder encoder;
  EngineReport report = three_of_eight();
  const ModelInfo model{.name = "small", .block_size = 16};
  json event = json::parse(encoder.encode(report, model).value());
  EXPECT_EQ(event["model"]["name"], "small");
  EXPECT_EQ(event["blocks"], json::parse("[[2, 3, 7, 1, 0]]"));
  EXPECT_EQ(event["owners"], json::parse(R"([[7, "seven"]])"));
  EXPECT_EQ(event["steps"], json::parse("[[1, 1.5, 0.5, 40, 0, 0, 1, 0]]"));
  EXPECT_EQ(event["engine"]["used_blocks"], 3);
  EXPECT_GT(event["engine"]["resident_bytes"], 0);
  EXPECT_EQ(encoder.last_step(), 1U);

  report.steps.clear();
  EXPECT_FALSE(encoder.encode(report, model).has_value());

  report.blocks[3] = {.owner = 7, .references = 2, .cached = true};
  report.blocks[4] = {.cached = true};
  report.blocks[5] = {.cached = true};
  event = json::parse(encoder.encode(report, model).value());
  EXPECT_FALSE(event.contains("model"));
  EXPECT_EQ(event["blocks"], json::parse("[[3, 1, 7, 2, 1], [4, 2, -1, 0, 1]]"));
}

TEST(FeedEncoder, RunsDoNotCoverBlocksThatTheReaderHasRight) {
  FeedEncoder encoder;
  EngineReport report{.stats = {.total_blocks = 5}};
  report.blocks.resize(5);
  report.blocks[2] = {.owner = 1, .references = 1};
  ASSERT_TRUE(encoder.encode(report, {}).has_value());
  for (BlockReport& block : report.blocks) block = {.owner = 1, .references = 1};
  EXPECT_EQ(json::parse(encoder.encode(report, {}).value())["blocks"],
            json::parse("[[0, 2, 1, 1, 0], [3, 2, 1, 1, 0]]"));
}

TEST(FeedEncoder, AMapThatIsNotThereYetComesLater) {
  FeedEncoder encoder;
  EngineReport report = three_of_eight();
  const std::vector<BlockReport> blocks = std::exchange(report.blocks, {});
  EXPECT_TRUE(json::parse(encoder.encode(report, {}).value())["blocks"].empty());
  report.blocks = blocks;
  EXPECT_EQ(json::parse(encoder.encode(report, {}).value())["blocks"].size(), 1U);
}

TEST(FeedEncoder, RequestIdsOfAnyBytesAreOneLineOfJson) {
  FeedEncoder encoder;
  EngineReport report = three_of_eight();
  report.owners[0].id = "a\n\"\xff</script>";
  const std::string event = encoder.encode(report, {}).value();
  EXPECT_EQ(event.find('\n'), std::string::npos);
  EXPECT_EQ(json::parse(event)["owners"][0][1], "a\n\"\xEF\xBF\xBD</script>");
}

}  // namespace
}  // namespace caravel::server::web
