#include "mini/spawning.h"

#include <algorithm>

#include "mini/creatures.h"
#include "mini/passing.h"

namespace caravel::mini {
namespace {

constexpr int kAnimals = 14, kHostiles = 5;  // around the player, at most
constexpr int64_t kForgotten = 96, kHostileForgotten = 48;

void add(Game& game, Kind kind, const Cell& at) {
  game.creatures.push_back({game.next_id++, kind, at, info(kind).health, game.tick + 20, game.tick + 20, 0});
}

Kind animal_of(Game& game, Biome biome) {
  const bool cold = is_snowy(biome) || biome == Biome::kDesert;
  if (cold) return game.random.below(3) == 0 ? Kind::kSheep : Kind::kRabbit;
  constexpr Kind kAny[] = {Kind::kCow, Kind::kPig, Kind::kSheep, Kind::kSheep, Kind::kChicken, Kind::kChicken};
  return kAny[game.random.below(6)];
}

/// A place at some distance from the player, on the ground under the sky.
Cell place_around(Game& game, int least, int most) {
  Cell cell = game.player.at;
  const int far = game.random.between(least, most), aside = game.random.between(-most, most);
  const int turn = game.random.below(4);
  cell.x += kSides[turn].x * far + kSides[(turn + 1) % 4].x * aside;
  cell.z += kSides[turn].z * far + kSides[(turn + 1) % 4].z * aside;
  cell.y = game.terrain.top(cell.x, cell.z) + 1;
  return cell;
}

void add_herd(Game& game, int least, int most) {
  const Cell place = place_around(game, least, most);
  const Kind kind = animal_of(game, game.terrain.biome(place.x, place.z));
  const int many = game.random.between(2, 4);
  for (int i = 0; i < many; ++i) {
    Cell at = place + Cell{game.random.between(-3, 3), 0, game.random.between(-3, 3)};
    at.y = game.terrain.top(at.x, at.z) + 1;
    const Block ground = game.terrain.at(at + kDown);
    if ((ground == Block::kGrassBlock || ground == Block::kSand) && can_stand(game.terrain, at)) add(game, kind, at);
  }
}

bool lit(const Terrain& terrain, const Cell& at) {
  for (int x = -6; x <= 6; ++x)
    for (int z = -6; z <= 6; ++z)
      for (int y = -3; y <= 3; ++y) {
        const Block block = terrain.at(at + Cell{x, y, z});
        if (block == Block::kTorch || block == Block::kLava) return true;
      }
  return false;
}

void add_hostile(Game& game) {
  constexpr Kind kAny[] = {Kind::kZombie, Kind::kZombie, Kind::kSkeleton, Kind::kSpider, Kind::kCreeper};
  const Kind kind = kAny[game.random.below(5)];
  Cell at = place_around(game, 12, 24);
  const bool underground = !game.terrain.under_sky(game.player.at + kUp);
  if (underground)
    at.y = game.player.at.y + game.random.between(-6, 6);
  else if (!is_dark(game.tick))
    return;
  if (!can_stand(game.terrain, at)) return;
  if (game.terrain.under_sky(at) && !is_dark(game.tick)) return;
  if (squared_distance(at, game.player.at) < 100 || lit(game.terrain, at)) return;
  add(game, kind, at);
}

}  // namespace

void spawn(Game& game) {
  if (game.tick % 40 != 0) return;
  const bool day = !is_dark(game.tick);
  int animals = 0, hostiles = 0;
  std::erase_if(game.creatures, [&](const Creature& creature) {
    const bool hostile = info(creature.kind).hostile;
    const int64_t far = hostile ? kHostileForgotten : kForgotten;
    const bool burns = hostile && day && creature.kind != Kind::kSpider && game.terrain.under_sky(creature.at);
    const bool gone = creature.health <= 0 || burns || squared_distance(creature.at, game.player.at) > far * far;
    if (!gone) ++(hostile ? hostiles : animals);
    return gone;
  });
  if (animals < kAnimals && game.tick % 400 == 0) add_herd(game, 16, 40);
  if (hostiles < kHostiles && game.tick % 80 == 0) add_hostile(game);
}

void first_animals(Game& game) {
  for (int i = 0; i < 12 && game.creatures.size() < kAnimals; ++i) add_herd(game, 6, 32);
}

}  // namespace caravel::mini
