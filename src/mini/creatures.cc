#include "mini/creatures.h"

#include <algorithm>
#include <cstdlib>

#include "mini/passing.h"
#include "mini/spawning.h"

namespace caravel::mini {
namespace {

constexpr int64_t kNear = 40, kNotices = 16;

/// One step that way where it can: level, one up, or down to three.
bool step(Game& game, Creature& creature, const Cell& side) {
  for (const int rise : {0, 1, -1, -2, -3}) {
    const Cell to = creature.at + side + Cell{0, rise, 0};
    if (!can_stand(game.terrain, to)) continue;
    if (to == game.player.at || to == game.player.at + kUp) return false;
    if (rise == 1 && is_solid(game.terrain.at(creature.at + Cell{0, 2, 0}))) return false;
    creature.at = to;
    return true;
  }
  return false;
}

/// Toward a place, or away from it.
void step_toward(Game& game, Creature& creature, const Cell& goal, bool away) {
  const int x = goal.x - creature.at.x, z = goal.z - creature.at.z;
  Cell along_x = {x > 0 ? 1 : -1, 0, 0}, along_z = {0, 0, z > 0 ? 1 : -1};
  if (away) {
    along_x.x = -along_x.x;
    along_z.z = -along_z.z;
  }
  const bool x_first = std::abs(x) >= std::abs(z);
  if ((x_first ? x : z) != 0 || away)
    if (step(game, creature, x_first ? along_x : along_z)) return;
  if ((x_first ? z : x) != 0 || away) step(game, creature, x_first ? along_z : along_x);
}

void blow(Game& game, Creature& creature) {
  const KindInfo& kind = info(creature.kind);
  creature.next_blow = game.tick + kind.blow_ticks;
  if (creature.kind == Kind::kCreeper) creature.health = 0;  // it blows itself up; blocks stay as they are
  hurt(game, kind.damage, std::string("a ") + std::string(kind.name), true);
}

void act(Game& game, Creature& creature, int64_t distance2) {
  const KindInfo& kind = info(creature.kind);
  const Cell player = game.player.at;
  if (kind.hostile && distance2 <= kNotices * kNotices) {
    const bool reaches = distance2 <= kind.reach * kind.reach + 2 &&
                         (kind.reach <= 2 || clear_line(game.terrain, creature.at + kUp, player + kUp));
    if (reaches) {
      creature.next_step = game.tick + 2;
      if (game.tick >= creature.next_blow) blow(game, creature);
      return;
    }
    creature.next_step = game.tick + kind.step_ticks;
    step_toward(game, creature, player, false);
    return;
  }
  if (creature.scared_until > game.tick) {
    creature.next_step = game.tick + kind.step_ticks / 2;
    step_toward(game, creature, player, true);
    return;
  }
  creature.next_step = game.tick + game.random.between(30, 120);
  step(game, creature, kSides[game.random.below(4)]);
}

}  // namespace

bool can_stand(const Terrain& terrain, const Cell& cell) {
  if (cell.y < 1 || cell.y >= kHeight - 1) return false;
  const Block here = terrain.at(cell), head = terrain.at(cell + kUp);
  return !is_solid(here) && !is_liquid(here) && !is_solid(head) && !is_liquid(head) &&
         is_solid(terrain.at(cell + kDown));
}

bool clear_line(const Terrain& terrain, const Cell& from, const Cell& to) {
  const int x = to.x - from.x, y = to.y - from.y, z = to.z - from.z;
  const int steps = std::max({std::abs(x), std::abs(y), std::abs(z)});
  const auto at = [&](int whole, int i) { return (2 * whole * i + (whole >= 0 ? steps : -steps)) / (2 * steps); };
  for (int i = 1; i < steps; ++i)
    if (is_opaque(terrain.at({from.x + at(x, i), from.y + at(y, i), from.z + at(z, i)}))) return false;
  return true;
}

void move_creatures(Game& game) {
  // By number: a blow may end in a death, which takes creatures away and throws.
  for (size_t i = 0; i < game.creatures.size(); ++i) {
    Creature& creature = game.creatures[i];
    if (creature.next_step > game.tick) continue;
    const int64_t distance2 = squared_distance(creature.at, game.player.at);
    if (distance2 > kNear * kNear) {
      creature.next_step = game.tick + 40;
      continue;
    }
    act(game, creature, distance2);
  }
  spawn(game);
}

}  // namespace caravel::mini
