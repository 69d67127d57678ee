#pragma once

#include "mini/game.h"

namespace caravel::mini {

/// What the player does with what it holds. All throw Refused, saying why not.

/// Puts a block of it there, takes water or lava up with a bucket or pours it, sows seeds on ground where the player
/// has a hoe. The name of what is there now.
std::string_view place(Game& game, ItemId item, const Cell& cell);
/// One blow.
struct Blow {
  std::string_view name;
  int health = 0;  // half hearts that are left
  bool killed = false;
};
Blow attack(Game& game, int id);
void eat(Game& game, ItemId item);
/// Into the hand, or where it is worn; a thing that was worn there goes back into the inventory.
Wear equip(Game& game, ItemId item);
/// Throws that many away for good.
void toss(Game& game, ItemId item, int count);
/// In a bed within reach, from sunset on, to the morning; it is where the player comes to after death.
void sleep(Game& game);

/// The chest there, if it is within reach.
Inventory& open_chest(Game& game, const Cell& cell);
void deposit(Game& game, const Cell& cell, ItemId item, int count);
void withdraw(Game& game, const Cell& cell, ItemId item, int count);

}  // namespace caravel::mini
