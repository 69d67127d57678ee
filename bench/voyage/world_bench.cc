// world_bench ACTIONS [SEED]: takes that many random actions in the embedded world, by the calls that code makes, and
// prints as JSON how long they took and how the memory went. An action is one of the seventeen of crafter's
// (bench/peers/crafter_steps.py), each as likely: stay, go one block east, west, south or north, dig, sleep, place one
// of four things, make one of six.

#include <sys/resource.h>

#include <fstream>
#include <iostream>
#include <string>

#include "base/clock.h"
#include "base/numbers.h"
#include "mini/random.h"
#include "mini/world.h"

namespace {

using caravel::Json;
using caravel::mini::Random;
using caravel::mini::World;

/// Resident now, in KiB.
int64_t resident() {
  std::ifstream status("/proc/self/statm");
  int64_t all = 0, pages = 0;
  status >> all >> pages;
  return pages * 4;
}

void act(World& world, Random& random) {
  const Json at = world.call("position", Json::array())["value"];
  const int x = at["x"], y = at["y"], z = at["z"], action = random.below(17);
  constexpr int kX[] = {1, -1, 0, 0}, kZ[] = {0, 0, 1, -1};
  constexpr const char* kPlaced[] = {"dirt", "crafting_table", "furnace", "oak_sapling"};
  constexpr const char* kMade[] = {"oak_planks",     "stick",        "crafting_table",
                                   "wooden_pickaxe", "wooden_sword", "furnace"};
  const int turn = random.below(4);
  if (action == 0)
    world.call("wait", {1});
  else if (action < 5)
    world.call("goTo", {x + kX[action - 1], y, z + kZ[action - 1], 0});
  else if (action == 5)
    world.call("dig", {x + kX[turn], y + random.between(-1, 1), z + kZ[turn]});
  else if (action == 6)
    world.call("sleep", Json::array());
  else if (action < 11)
    world.call("place", {kPlaced[action - 7], x + kX[turn], y, z + kZ[turn]});
  else
    world.call("craft", {kMade[action - 11], 1});
}

}  // namespace

int main(int argc, char** argv) {
  const auto actions = caravel::parse_number<int64_t>(argc > 1 ? argv[1] : "200000");
  const auto seed = caravel::parse_number<uint64_t>(argc > 2 ? argv[2] : "1");
  if (!actions || !seed || *actions < 1) {
    std::cerr << "usage: world_bench ACTIONS [SEED]\n";
    return 2;
  }
  World world(*seed);
  Random random(*seed);
  for (int64_t i = 0; i < *actions / 10; ++i) act(world, random);
  const int64_t before = resident(), first_tick = world.tick();
  const auto start = caravel::Clock::now();
  for (int64_t i = 0; i < *actions; ++i) {
    act(world, random);
    if (i % 1000 == 0) world.take_events();
  }
  const double seconds = std::chrono::duration<double>(caravel::Clock::now() - start).count();
  const Json figures = {{"actions", *actions},
                        {"ticks", world.tick() - first_tick},
                        {"seconds", seconds},
                        {"actions_per_second", static_cast<double>(*actions) / seconds},
                        {"ticks_per_second", static_cast<double>(world.tick() - first_tick) / seconds},
                        {"resident_kib_before", before},
                        {"resident_kib_after", resident()},
                        {"saved_bytes", world.save().size()}};
  std::cout << caravel::to_text(figures) << "\n";
  return 0;
}
