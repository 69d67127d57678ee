#include <gtest/gtest.h>

#include "base/error.h"
#include "mini/world.h"
#include "random_calls.h"

namespace caravel::mini {
namespace {

std::string played(int calls) {
  World world(21);
  Random random(4);
  for (int i = 0; i < calls; ++i) {
    const auto [name, arguments] = random_call(random, world);
    world.call(name, arguments);
  }
  return world.save();
}

TEST(Saving, TakesLittleSpace) { EXPECT_LT(played(300).size(), 40'000u); }

TEST(Saving, EveryShorterSaveIsRefused) {
  const std::string bytes = played(100);
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_THROW(World::load(std::string_view(bytes).substr(0, size)), FormatError) << size << " of " << bytes.size();
  EXPECT_THROW(World::load(bytes + "x"), FormatError);
}

TEST(Saving, ABrokenSaveIsRefusedOrAWorldThatWorks) {
  const std::string bytes = played(100);
  Random random(5);
  int refused = 0;
  for (int i = 0; i < 1500; ++i) {
    std::string broken = bytes;
    for (int changes = random.between(1, 3); changes > 0; --changes)
      broken[static_cast<size_t>(random.below(static_cast<int>(broken.size())))] = static_cast<char>(random.below(256));
    try {
      const std::unique_ptr<World> world = World::load(broken);
      if (i % 10 != 0) continue;
      world->observe();
      world->map(32, 16);
      Random draws(static_cast<uint64_t>(i));
      for (int calls = 0; calls < 3; ++calls) {
        const auto [name, arguments] = random_call(draws, *world);
        world->call(name, arguments);
      }
      const std::string again = world->save();
      EXPECT_EQ(World::load(again)->save(), again);
    } catch (const FormatError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace caravel::mini
