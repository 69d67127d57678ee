#include <gtest/gtest.h>

#include "mini/world.h"

namespace caravel::mini {
namespace {

TEST(Map, HoldsToItsBounds) {
  World world(4);
  for (const int most : {1, 7, 100, 4096}) {
    const voyager::MapImage map = world.map(most, std::nullopt);
    EXPECT_LE(map.width, most);
    EXPECT_LE(map.height, most);
    EXPECT_EQ(map.rgb.size(), static_cast<size_t>(map.width * map.height * 3));
    EXPECT_GE(map.blocks_per_pixel * map.width, 48);  // what is seen at the start
  }
  const voyager::MapImage around = world.map(100, 10);
  EXPECT_EQ(around.width, 21);
  EXPECT_EQ(around.left + 10, world.observe().position.x);
}

TEST(Map, GrowsWithWhatIsSeen) {
  World world(4);
  const voyager::MapImage before = world.map(4096, std::nullopt);
  for (int i = 0; i < 10; ++i) world.call("explore", {1, 0, 0, 200});
  const voyager::MapImage after = world.map(4096, std::nullopt);
  EXPECT_GT(after.width, before.width);
}

}  // namespace
}  // namespace caravel::mini
