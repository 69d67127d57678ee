#include "mini/path.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <queue>

#include "mini/digging.h"

namespace caravel::mini {
namespace {

constexpr int kStepTicks = 5, kJumpTicks = 7, kSwimTicks = 10, kClimbTicks = 8, kDeepestFall = 3;
constexpr int kDigPenalty = 4;  // ticks: rather around than through, where it is nearly the same

/// Digging is never thought dearer than this: else one by hand would have half the land searched for a way around.
constexpr int kMostDigCost = 40;

/// What is worth looking at for each kind of block.
Inventory tools_of(const Inventory& items) {
  Inventory tools(kSlots);
  for (const Stack& stack : items.slots())
    if (stack.count > 0 && info(stack.item).tool != Tool::kNone && tools.count(stack.item) == 0)
      tools.add(stack.item, 1);
  return tools;
}

bool is_kept(Block block) {
  return block == Block::kChest || block == Block::kCraftingTable || block == Block::kFurnace || block == Block::kBed ||
         block == Block::kFarmland;
}

/// A map from cells to numbers of places, with open addressing.
class CellIndex {
 public:
  CellIndex() : slots_(size_t{1} << 15, {{0, 0, 0}, -1}) {}
  /// The number of `cell`: `next` where it is new.
  int find_or_add(const Cell& cell, int next) {
    for (size_t i = hash_of(0, 0, cell.x, cell.y, cell.z) & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].second < 0) {
        slots_[i] = {cell, next};
        used_.push_back(i);
        return next;
      }
      if (slots_[i].first == cell) return slots_[i].second;
    }
  }
  void clear() {
    for (const size_t i : used_) slots_[i].second = -1;
    used_.clear();
  }

 private:
  std::vector<std::pair<Cell, int>> slots_;
  std::vector<size_t> used_;
};

struct Place {
  Cell at;
  int parent = -1;
  int spent = 0;  // ticks from the start
  bool done = false;
};

class PathSearch {
 public:
  PathSearch(const Game& game, const Cell& goal, double range)
      : terrain_(game.terrain), goal_(goal), range2_(static_cast<int64_t>(range * range)) {
    const int lava_cost = terrain_.at(game.player.at) == Block::kLava ? 40 : -1;  // who is in it has to get out
    const Inventory tools = tools_of(game.player.items);
    for (size_t i = 0; i < blocks().size(); ++i) {
      const auto block = static_cast<Block>(i);
      Passage& kind = kinds_[i];
      kind = {.solid = is_solid(block), .wet = is_liquid(block), .ladder = block == Block::kLadder};
      if (block == Block::kLava) kind.cost = lava_cost;
      if (!kind.solid) continue;
      const std::optional<int> ticks = dig_ticks(block, best_tool(tools, block));
      kind.cost = ticks && !is_kept(block) ? std::min(*ticks, kMostDigCost) + kDigPenalty : -1;
    }
    index().clear();
    reach(game.player.at, -1, 0);
  }

  Path run() {
    int best = 0;
    const size_t most = most_places(places_[0].at, goal_);
    while (!open_.empty() && places_.size() < most) {
      const int number = open_.top().number;
      open_.pop();
      Place& place = places_[static_cast<size_t>(number)];
      if (place.done) continue;
      place.done = true;
      if (squared_distance(place.at, goal_) <= range2_) return path_to(number, true);
      const int left = estimate(place.at), best_left = estimate(places_[static_cast<size_t>(best)].at);
      if (left < best_left) best = number;
      expand(number);
    }
    return path_to(best, false);
  }

 private:
  struct Open {
    int total;
    int number;
    /// The least total first; of equals the one that was found last, which is nearer to the goal as a rule.
    bool operator<(const Open& other) const {
      return total != other.total ? total > other.total : number < other.number;
    }
  };

  static CellIndex& index() {
    thread_local CellIndex index;  // its half megabyte is kept from one search to the next
    return index;
  }

  int estimate(const Cell& at) const {
    const int sideways = std::abs(at.x - goal_.x) + std::abs(at.z - goal_.z), upward = goal_.y - at.y;
    return sideways * kStepTicks + (upward > 0 ? upward * 4 : -upward * 2);
  }

  /// What a kind of block is to somebody who goes.
  struct Passage {
    int cost = 0;  // ticks to make it free; below 0: cannot be
    bool solid = false, wet = false, ladder = false;
  };
  const Passage& kind(const Cell& cell) const { return kinds_[static_cast<uint8_t>(terrain_.at(cell))]; }
  int cost(const Cell& cell) const { return kind(cell).cost; }
  bool wet(const Cell& cell) const { return kind(cell).wet; }  // where one swims
  bool ladder(const Cell& cell) const { return kind(cell).ladder; }
  bool ground(const Cell& cell) const { return kind(cell).solid && cell.y >= 0; }
  /// Somebody whose feet are there does not fall.
  bool holds(const Cell& at) const { return ground(at + kDown) || wet(at) || ladder(at) || ladder(at + kDown); }

  void reach(const Cell& to, int parent, int spent) {
    const int next = static_cast<int>(places_.size());
    const int number = index().find_or_add(to, next);
    if (number == next) {
      places_.push_back({to, parent, spent, false});
    } else {
      Place& place = places_[static_cast<size_t>(number)];
      if (place.done || place.spent <= spent) return;
      place.parent = parent;
      place.spent = spent;
    }
    open_.push({spent + estimate(to) * 3 / 2, number});
  }

  /// Goes there, if all cells on the way are free or can be dug, and it is held there.
  void try_move(int from, const Cell& to, std::initializer_list<Cell> through, int ticks) {
    int spent = places_[static_cast<size_t>(from)].spent + ticks;
    for (const Cell& cell : through) {
      const int digging = cost(cell);
      if (digging < 0) return;
      spent += digging;
    }
    if (wet(to)) spent += kSwimTicks - kStepTicks + (wet(to + kUp) ? 4 : 0);
    reach(to, from, spent);
  }

  /// Off an edge at `edge`, both of whose cells are free or can be dug: down to what holds.
  void try_fall(int from, const Cell& edge, bool sideways) {
    Cell to = edge;
    int fallen = 0;
    while (!holds(to)) {
      to = to + kDown;
      ++fallen;
      if (kind(to).solid || fallen > 20) return;
    }
    if ((fallen > kDeepestFall && !wet(to)) || cost(to) < 0) return;
    if (sideways)
      try_move(from, to, {edge + kUp, edge}, kStepTicks + fallen);
    else
      try_move(from, to, {edge}, fallen + 1);
  }

  void expand(int number) {
    const Cell at = places_[static_cast<size_t>(number)].at;
    if (at.y + 2 >= kHeight) return;
    for (const Cell& side : kSides) {
      const Cell next = at + side;
      try_fall(number, next, true);
      if (ground(next))
        try_move(number, next + kUp, {at + Cell{0, 2, 0}, next + Cell{0, 2, 0}, next + kUp}, kJumpTicks);
      const Cell lower = next + kDown;
      if (ground(lower) && ground(lower + kDown)) try_move(number, lower, {next + kUp, next, lower}, kStepTicks + 1);
    }
    const Cell under = at + kDown, over = at + kUp;
    if (ground(under) && under.y > 0) try_fall(number, under, false);
    if (wet(under) || ladder(under)) try_move(number, under, {under}, kClimbTicks);
    if ((wet(at) && wet(over)) || (ladder(at) && (ladder(over) || !kind(over).solid)))
      try_move(number, over, {over + kUp, over}, kClimbTicks);
  }

  /// The cells of a move of expand(), by where it goes.
  Move move_between(const Cell& from, const Cell& to) const {
    const Cell next = {to.x, from.y, to.z};
    if (to.x == from.x && to.z == from.z)
      return to.y > from.y ? Move{to, {to + kUp, to}, kClimbTicks} : Move{to, {from + kDown}, 1};
    if (to.y > from.y) return {to, {from + Cell{0, 2, 0}, to + kUp, to}, kJumpTicks};
    if (to.y + 1 == from.y && ground(to)) return {to, {next + kUp, next, to}, kStepTicks};
    return {to, {next + kUp, next}, wet(to) ? kSwimTicks : kStepTicks};
  }

  Path path_to(int number, bool arrives) const {
    Path path{.arrives = arrives};
    for (; places_[static_cast<size_t>(number)].parent >= 0; number = places_[static_cast<size_t>(number)].parent) {
      const Place& place = places_[static_cast<size_t>(number)];
      path.moves.push_back(move_between(places_[static_cast<size_t>(place.parent)].at, place.at));
    }
    std::reverse(path.moves.begin(), path.moves.end());
    return path;
  }

  const Terrain& terrain_;
  Cell goal_;
  int64_t range2_;
  std::array<Passage, 256> kinds_;  // of blocks
  std::vector<Place> places_;
  std::priority_queue<Open> open_;
};

}  // namespace

size_t most_places(const Cell& from, const Cell& goal) {
  const int64_t far = int64_t{std::abs(from.x - goal.x)} + std::abs(from.y - goal.y) + std::abs(from.z - goal.z);
  return static_cast<size_t>(std::min<int64_t>(10'000, 1'000 + 300 * far));
}

bool may_be_in(const Terrain& terrain, const Cell& cell) {
  for (const Block block : {terrain.at(cell), terrain.at(cell + kUp)})
    if (block == Block::kLava || is_kept(block) || (is_solid(block) && info(block).hardness < 0)) return false;
  return true;
}

Path find_path(const Game& game, const Cell& goal, double range) {
  if (range < 1 && !may_be_in(game.terrain, goal)) return {};
  return PathSearch(game, goal, range).run();
}

}  // namespace caravel::mini
