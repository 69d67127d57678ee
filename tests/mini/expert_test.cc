#include "mini/expert.h"

#include <gtest/gtest.h>

namespace caravel::mini {
namespace {

TEST(Expert, ReachesADiamondPickaxeInEveryWorld) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    World world(seed);
    Expert expert(world);
    const bool reached = expert.reach_diamond_pickaxe(20'000);
    std::string took;
    for (const auto& [item, tick] : expert.milestones()) took += " " + item + " " + std::to_string(tick);
    EXPECT_TRUE(reached) << "seed " << seed << ":" << took << "; " << expert.trouble();
  }
}

}  // namespace
}  // namespace caravel::mini
