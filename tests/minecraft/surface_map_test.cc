#include "minecraft/surface_map.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/error.h"

namespace caravel::minecraft {
namespace {

/// A chunk of one block at one height.
Json flat(int x, int z, const std::string& name, int above_sea) {
  std::string tops;
  for (int i = 0; i < 256; ++i) tops += {'\0', static_cast<char>(above_sea + 128)};
  return {{"x", x}, {"z", z}, {"names", {name}}, {"tops", base64(tops)}};
}

uint32_t pixel(const voyager::MapImage& map, int x, int y) {
  const auto at = static_cast<size_t>(3 * (y * map.width + x));
  return static_cast<uint32_t>(map.rgb[at]) << 16 | static_cast<uint32_t>(map.rgb[at + 1]) << 8 | map.rgb[at + 2];
}

TEST(SurfaceMap, DrawsWhatWasSeen) {
  SurfaceMap map;
  EXPECT_EQ(map.draw({}, 1024, std::nullopt).width, 0);
  map.take(flat(0, 0, "grass_block", 0));
  map.take(flat(-2, 1, "water", 0));
  const voyager::MapImage drawn = map.draw({}, 1024, std::nullopt);
  EXPECT_EQ(drawn.width, 48);
  EXPECT_EQ(drawn.height, 32);
  EXPECT_EQ(drawn.left, -32);
  EXPECT_EQ(drawn.top, 0);
  EXPECT_EQ(pixel(drawn, 40, 3), 0x6aa84fU);
  EXPECT_EQ(pixel(drawn, 0, 31), 0x3f66c8U);
  EXPECT_EQ(pixel(drawn, 0, 0), 0x10141aU);
  const voyager::MapImage around = map.draw({-0.5, 70, 3.5}, 100, 4);
  EXPECT_EQ(around.width, 9);
  EXPECT_EQ(around.left, -5);
  EXPECT_EQ(pixel(around, 4, 4), 0xff3030U);  // the player
  EXPECT_EQ(pixel(around, 5, 4), 0x6aa84fU);
}

TEST(SurfaceMap, PlacesGoRowByRowAndHigherGroundIsLighter) {
  std::string tops;
  for (int i = 0; i < 256; ++i) tops += {static_cast<char>(i == 18 ? 1 : 0), static_cast<char>(i == 3 ? 148 : 128)};
  SurfaceMap map;
  map.take({{"x", 0}, {"z", 0}, {"names", {"dirt", "sand"}}, {"tops", base64(tops)}});
  const voyager::MapImage drawn = map.draw({}, 16, std::nullopt);
  EXPECT_EQ(pixel(drawn, 2, 1), 0xdbcfa3U);
  EXPECT_EQ(pixel(drawn, 2, 0), 0x866043U);
  EXPECT_EQ(pixel(drawn, 3, 0), 0xae7c57U);  // 20 blocks up: 130 %
}

TEST(SurfaceMap, WhatIsNoChunkChangesNothing) {
  SurfaceMap map;
  const Json whole = flat(0, 0, "stone", 0);
  for (const auto& [key, wrong] :
       std::initializer_list<std::pair<const char*, Json>>{{"x", 1e300},
                                                           {"x", 2'000'000},
                                                           {"x", "0"},
                                                           {"z", nullptr},
                                                           {"names", Json::array()},
                                                           {"names", {1}},
                                                           {"names", {std::string(65, 'a')}},
                                                           {"tops", "AAAA"},
                                                           {"tops", 5},
                                                           {"tops", std::string(684, '!')}}) {
    Json other = whole;
    other[key] = wrong;
    map.take(other);
  }
  map.take({{"x", 0}});
  map.take("column");
  EXPECT_EQ(map.draw({}, 16, std::nullopt).width, 0);
  EXPECT_EQ(map.save(), Json::array());
}

TEST(SurfaceMap, IsSavedAndPutBackInItsOrder) {
  SurfaceMap map;
  map.take(flat(0, 0, "stone", 0));
  map.take(flat(1, 0, "oak_log", 5));
  map.take(flat(0, 0, "lava", -9));
  const Json saved = map.save();
  EXPECT_EQ(saved.size(), 2U);
  EXPECT_EQ(saved[0][0], 1);
  const SurfaceMap again = SurfaceMap::from(saved);
  EXPECT_EQ(again.save(), saved);
  EXPECT_EQ(again.draw({}, 64, std::nullopt).rgb, map.draw({}, 64, std::nullopt).rgb);
  for (const Json& wrong : {Json("map"), Json::array({1}), Json::array({{0, 0}}), Json::array({{0, "0", ""}}),
                            Json::array({{0, 0, "AAAA"}})})
    EXPECT_THROW(SurfaceMap::from(wrong), FormatError);
}

TEST(SurfaceMap, HoldsSoMuchAndForgetsWhatWasSeenLongestAgo) {
  SurfaceMap map;
  const auto most = static_cast<int>(SurfaceMap::kMostChunks);
  for (int x = 0; x < most; ++x) map.take(flat(x, 0, "stone", 0));
  map.take(flat(0, 0, "sand", 0));  // the first is seen again
  map.take(flat(most, 0, "stone", 0));
  EXPECT_EQ(map.save().size(), SurfaceMap::kMostChunks);
  EXPECT_EQ(map.save().at(0).at(0), 2);
  const voyager::MapImage drawn = map.draw({}, 1024, std::nullopt);
  EXPECT_LE(drawn.width, 1024);
  EXPECT_EQ(drawn.left, 0);
  EXPECT_EQ(drawn.height, 1);
  EXPECT_EQ(pixel(drawn, 0, 0), 0x7f7f7fU);  // in the middle of its 65 blocks
}

TEST(SurfaceMap, BlocksHaveColours) {
  EXPECT_EQ(block_colour("oak_leaves"), 0x3f7a2aU);  // as in the embedded world
  EXPECT_EQ(block_colour("packed_ice"), 0x9cc0f0U);
  EXPECT_EQ(block_colour("dirt_path"), 0x947a41U);
  EXPECT_EQ(block_colour("dark_oak_leaves"), 0x3a6a24U);
  EXPECT_EQ(block_colour("redstone_lamp"), 0xaf1805U);
  EXPECT_EQ(block_colour("sculk"), 0x808080U);
}

}  // namespace
}  // namespace caravel::minecraft
