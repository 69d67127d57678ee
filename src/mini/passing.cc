#include "mini/passing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "mini/creatures.h"
#include "mini/growing.h"

namespace caravel::mini {
namespace {

constexpr int kEffortOfFood = 100 * 900;  // a point of food for 45 seconds of hard work
constexpr int kHealTicks = 80;
constexpr int kSightRadius = 24, kSightBelow = 6;

/// One tick.
void breathe(Game& game) {
  Player& player = game.player;
  if (game.terrain.at(player.at + kUp) != Block::kWater) {
    player.air = kMostAir;
    return;
  }
  if (--player.air >= 0) return;
  player.air += 20;
  // Out of breath it swims up as far as there is water above it.
  while (!is_solid(game.terrain.at(player.at + Cell{0, 2, 0})) && game.terrain.at(player.at + kUp) == Block::kWater)
    player.at = player.at + kUp;
  hurt(game, 2, "drowning", false);
}

void burn(Game& game) {
  if (game.tick % 10 != 0) return;
  if (game.terrain.at(game.player.at) == Block::kLava || game.terrain.at(game.player.at + kUp) == Block::kLava)
    hurt(game, 4, "lava", true);
}

/// Health from a full stomach; harm from an empty one, though not to death.
void digest(Game& game) {
  Player& player = game.player;
  ++player.rest;
  if (player.rest < kHealTicks) return;
  player.rest = 0;
  if (player.food >= 18 && player.health < kMostHealth) {
    ++player.health;
    player.effort += kEffortOfFood / 2;
  } else if (player.food == 0 && player.health > 1) {
    hurt(game, 1, "hunger", false);
  }
}

/// Ground is dry there, and there are trees within some steps: the nearest such place to 0, 0 on a grid.
Cell start_of(const Terrain& terrain) {
  const auto trees_near = [&](int x, int z) {
    int trees = 0;
    for (int i = x - 12; i <= x + 12; ++i)
      for (int k = z - 12; k <= z + 12; ++k) {
        const Block foot = terrain.at({i, terrain.top(i, k), k});
        trees += foot >= Block::kOakLog && foot <= Block::kAcaciaLog;
      }
    return trees;
  };
  for (int ring = 0; ring < 256; ++ring)
    for (int i = -ring; i <= ring; ++i)
      for (int k = -ring; k <= ring; k += std::abs(i) == ring ? 1 : 2 * ring) {
        const int x = i * 8, z = k * 8, surface = terrain.top(x, z);
        const Cell at = {x, surface + 1, z};
        if (terrain.at(at + kDown) == Block::kGrassBlock && can_stand(terrain, at) && trees_near(x, z) >= 5) return at;
      }
  return {0, terrain.top(0, 0) + 1, 0};
}

void take_in(Game& game) {
  const Cell at = game.player.at;
  const bool below = !game.terrain.under_sky(at + kUp);
  if (squared_distance(at, game.last_look) < (below ? 1 : 16)) return;
  game.last_look = at;
  game.terrain.see(at.x, at.z, below ? kSightBelow : kSightRadius, below);
}

/// Down to where something holds it; how many blocks.
int fall(Game& game) {
  Player& player = game.player;
  int fallen = 0;
  for (;; ++fallen) {
    const Block under = game.terrain.at(player.at + kDown), here = game.terrain.at(player.at);
    if (is_solid(under) || is_liquid(here) || here == Block::kLadder || under == Block::kLadder) return fallen;
    player.at = player.at + kDown;
  }
}

void go_home(Game& game) {
  Player& player = game.player;
  player.at = player.home;
  while (is_solid(game.terrain.at(player.at)) || is_solid(game.terrain.at(player.at + kUp)))
    player.at = player.at + kUp;
  fall(game);
  take_in(game);
}

void die(Game& game, std::string_view by) {
  Player& player = game.player;
  ++game.deaths;
  game.events.push_back({voyager::Event::Kind::kDeath, game.tick, fmt::format("killed by {}", by)});
  player.health = kMostHealth;
  player.food = kMostFood;
  player.air = kMostAir;
  player.effort = player.rest = 0;
  std::erase_if(game.creatures, [](const Creature& creature) { return info(creature.kind).hostile; });
  go_home(game);
  throw Refused{fmt::format("you died, killed by {}, and are back at {}, {}, {} with what you had", by, player.at.x,
                            player.at.y, player.at.z)};
}

}  // namespace

void begin(Game& game) {
  Player& player = game.player;
  player.at = player.home = start_of(game.terrain);
  game.last_look = player.at;
  game.terrain.see(player.at.x, player.at.z, kSightRadius, false);
  first_animals(game);
}

void pass(Game& game, int ticks, int effort) {
  Player& player = game.player;
  for (int i = 0; i < ticks; ++i) {
    ++game.tick;
    player.effort += effort + 10;
    if (player.effort >= kEffortOfFood) {
      player.effort -= kEffortOfFood;
      player.food = std::max(0, player.food - 1);
    }
    digest(game);
    breathe(game);
    burn(game);
    grow(game);
    move_creatures(game);
  }
}

void hurt(Game& game, int points, std::string_view by, bool armour_helps) {
  Player& player = game.player;
  if (armour_helps) {
    int armour = 0;
    for (Stack& piece : player.worn) {
      if (piece.count == 0) continue;
      armour += info(piece.item).armour;
      if (++piece.wear >= info(piece.item).durability) piece = {};
    }
    if (player.worn[static_cast<size_t>(Wear::kOffHand)].count > 0) points -= points / 2;
    points = std::max(1, points - points * armour / 25);
  }
  player.health -= points;
  player.rest = 0;
  game.events.push_back({voyager::Event::Kind::kHurt, game.tick, fmt::format("{} by {}", points, by)});
  if (player.health <= 0) die(game, by);
}

void settle(Game& game) {
  Player& player = game.player;
  const int fallen = fall(game);
  take_in(game);
  if (fallen == 0) return;
  pass(game, fallen, 0);
  const Block here = game.terrain.at(player.at);
  if (fallen > 3 && here != Block::kWater && here != Block::kLadder) hurt(game, fallen - 3, "a fall", false);
}

int give(Game& game, ItemId item, int count, int wear) {
  const int lost = game.player.items.add(item, count, wear);
  if (lost < count && game.had.insert(item).second)
    game.events.push_back({voyager::Event::Kind::kItem, game.tick, info(item).name});
  return lost;
}

void take(Game& game, ItemId item, int count) {
  game.player.items.take(item, count);
  if (game.player.hand == item && game.player.items.count(item) == 0) game.player.hand = kNoItem;
}

void use_tool(Game& game) {
  const ItemId hand = game.player.hand;
  if (hand == kNoItem || !game.player.items.wear_out(hand)) return;
  if (game.player.items.count(hand) == 0) game.player.hand = kNoItem;
}

std::string_view time_of_day(int64_t tick) {
  const int64_t now = tick % kDayTicks;
  return now < 12000 ? "day" : now < 13800 ? "sunset" : now < 22200 ? "night" : "sunrise";
}

bool is_dark(int64_t tick) {
  const int64_t now = tick % kDayTicks;
  return now >= 13200 && now < 22800;
}

}  // namespace caravel::mini
