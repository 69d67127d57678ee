#include "mini/walking.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "mini/digging.h"
#include "mini/passing.h"
#include "mini/path.h"

namespace caravel::mini {
namespace {

std::string spelled(const Cell& cell) { return fmt::format("{}, {}, {}", cell.x, cell.y, cell.z); }

/// False where the world is no longer as the path has it.
bool make(Game& game, const Move& move) {
  for (const Cell& cell : move.through) {
    const Block block = game.terrain.at(cell);
    if (block == Block::kLava && game.terrain.at(game.player.at) != Block::kLava) return false;
    if (!is_solid(block)) continue;
    if (const ItemId tool = best_tool(game.player.items, block); tool != kNoItem) game.player.hand = tool;
    if (!dig_ticks(block, game.player.hand)) return false;
    dig(game, cell);
  }
  const Cell from = game.player.at;
  const Block under = game.terrain.at(move.to + kDown), here = game.terrain.at(move.to);
  if (is_solid(here) || (move.to.y >= from.y && !is_solid(under) && !is_liquid(here) && here != Block::kLadder &&
                         under != Block::kLadder))
    return false;
  // Sideways at the height that it is at, or climbing; a fall is left to settle().
  game.player.at =
      move.to.x == from.x && move.to.z == from.z ? move.to : Cell{move.to.x, std::max(from.y, move.to.y), move.to.z};
  if (move.to.y + 1 == from.y && !is_solid(here)) game.player.at = move.to;
  pass(game, move.ticks, 30);
  settle(game);
  return true;
}

/// Follows ways until it arrives, `until` has come or none leads on. True: it arrived.
bool travel(Game& game, const Cell& goal, double range, int64_t until) {
  const auto range2 = static_cast<int64_t>(range * range);
  int64_t nearest = squared_distance(game.player.at, goal);
  for (int stuck = 0; stuck < 2;) {
    if (squared_distance(game.player.at, goal) <= range2) return true;
    const Path path = find_path(game, goal, range);
    if (path.moves.empty()) return false;
    for (const Move& move : path.moves) {
      if (game.tick >= until) return false;
      if (!make(game, move)) break;
      if (game.player.at != move.to) break;
    }
    const int64_t now = squared_distance(game.player.at, goal);
    stuck = now < nearest ? 0 : stuck + 1;
    nearest = std::min(nearest, now);
  }
  return squared_distance(game.player.at, goal) <= range2;
}

/// A place over the air means the ground below it: nobody stays up there.
Cell on_ground(const Terrain& terrain, Cell cell) {
  const auto holds = [&](Block block) { return is_solid(block) || is_liquid(block) || block == Block::kLadder; };
  if (is_liquid(terrain.at(cell)) || terrain.at(cell) == Block::kLadder) return cell;
  while (!holds(terrain.at(cell + kDown))) cell = cell + kDown;
  return cell;
}

/// Looking in vain takes time, too: who does nothing else does not stay in one tick for ever.
constexpr int kVainTicks = 10;

}  // namespace

void go_to(Game& game, const Cell& goal, double range) {
  if (goal.y < 0 || goal.y >= kHeight || std::abs(goal.x) >= kEnd || std::abs(goal.z) >= kEnd)
    throw Refused{fmt::format("{} is outside of the world: y goes from 0 to {}, x and z from {} to {}", spelled(goal),
                              kHeight - 1, -kEnd + 1, kEnd - 1)};
  const int64_t start = game.tick;
  const Cell place = range < 1 ? on_ground(game.terrain, goal) : goal;
  if (travel(game, place, range, start + kMostWalkTicks)) return;
  pass(game, kVainTicks, 0);
  if (range < 1 && !may_be_in(game.terrain, place))
    throw Refused{fmt::format("nobody can be at {}: there is {}, and {} above", spelled(place),
                              info(game.terrain.at(place)).name, info(game.terrain.at(place + kUp)).name)};
  const std::string where = fmt::format("you are at {}", spelled(game.player.at));
  if (game.tick - start >= kMostWalkTicks)
    throw Refused{fmt::format("did not get to {} within {} ticks: {}", spelled(goal), kMostWalkTicks, where)};
  throw Refused{fmt::format("found no way to within {} of {}: {}", range, spelled(goal), where)};
}

void explore(Game& game, const Cell& direction, int ticks) {
  const Cell start = game.player.at;
  const int64_t until = game.tick + ticks;
  for (int stuck = 0; stuck < 2 && game.tick < until;) {
    const Cell from = game.player.at;
    constexpr int kStretch = 16;
    Cell goal = from + Cell{direction.x * kStretch, direction.y * kStretch, direction.z * kStretch};
    goal.x = std::clamp(goal.x, -kEnd + 1, kEnd - 1);
    goal.z = std::clamp(goal.z, -kEnd + 1, kEnd - 1);
    if (direction.y == 0 && game.terrain.under_sky(from + kUp)) goal.y = game.terrain.top(goal.x, goal.z) + 1;
    goal.y = std::clamp(goal.y, 1, kHeight - 3);
    if (goal == from) break;
    travel(game, goal, 2, until);
    stuck = game.player.at == from ? stuck + 1 : 0;
    if (direction.x == 0 && direction.z == 0 && std::abs(game.player.at.y - goal.y) <= 2) break;
  }
  if (game.player.at != start || ticks == 0) return;
  pass(game, kVainTicks, 0);
  throw Refused{"cannot get any further that way"};
}

}  // namespace caravel::mini
