#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "mini/creature_kinds.h"
#include "mini/inventory.h"
#include "mini/random.h"
#include "mini/terrain.h"
#include "voyager/environment.h"

namespace caravel::mini {

inline constexpr int kDayTicks = 24000;
inline constexpr int kMostHealth = 20, kMostFood = 20;  // points
inline constexpr int kMostAir = 300;                    // ticks
inline constexpr int kSlots = 36, kChestSlots = 27;
/// From the player's eyes to the nearest point of a block; hundredths of blocks.
inline constexpr int kReach = 450;

struct Player {
  Cell at;    // its feet; its head is one above
  Cell home;  // where it comes to again after death
  int health = kMostHealth;
  int food = kMostFood;
  int effort = 0;  // ticks' worth of it, of which kEffortOfFood take a point of food
  int rest = 0;    // ticks since health last came back, or since hunger last took some
  int air = kMostAir;
  ItemId hand = kNoItem;
  std::array<Stack, kWears> worn{};  // [Wear]; the hand's is not used
  Inventory items{kSlots};
};

struct Creature {
  int id = 0;
  Kind kind = Kind::kCow;
  Cell at;  // its feet
  int health = 0;
  int64_t next_step = 0, next_blow = 0;  // ticks
  int64_t scared_until = 0;
};

/// What was done, by number of item, block or kind.
struct Counts {
  std::map<ItemId, int64_t> crafted, smelted, placed, eaten;
  std::map<Block, int64_t> mined;
  std::map<Kind, int64_t> killed;
};

/// Of the draws that are not places: what drops, who comes, where creatures go.
constexpr uint64_t random_seed(uint64_t seed) { return hash_of(seed, 1, 0, 0); }

/// All of a world. Functions over it act as the player does: they take ticks.
struct Game {
  explicit Game(uint64_t seed) : terrain(seed), random(random_seed(seed)) {}

  int64_t tick = 0;
  Terrain terrain;
  Random random;
  Player player;
  std::vector<Creature> creatures;  // by id
  int next_id = 1;
  Counts counts;
  std::map<Cell, Inventory> chests;
  std::set<Cell> opened;            // chests that the player has placed or looked into
  std::map<Cell, int64_t> growing;  // saplings and wheat: the tick at which they are grown
  std::set<ItemId> had;             // items that were in the inventory
  Cell last_look;                   // where the player was when it last took in what is around
  int deaths = 0;
  std::vector<voyager::Event> events;
};

/// Why a call came to nothing, in a line that its caller reads.
struct Refused {
  std::string why;
};

}  // namespace caravel::mini
