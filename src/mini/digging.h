#pragma once

#include <optional>

#include "mini/game.h"

namespace caravel::mini {

/// Ticks to dig it with an item in the hand (kNoItem: bare), as Minecraft has them; nothing: it cannot be dug.
std::optional<int> dig_ticks(Block block, ItemId tool);
/// The block gives its drop to this tool.
bool gives_drop(Block block, ItemId tool);

/// The best the player has for it: one that gets its drop, then the fastest, then the least worth; kNoItem: the hand.
ItemId best_tool(const Inventory& items, Block block);

/// As far as arms go: from the player's eyes to the nearest point of a block.
bool within_reach(const Player& player, const Cell& cell);

struct Dug {
  Block block;
  ItemId item = kNoItem;  // what it gave, if anything
  int count = 0;          // that found room
  int lost = 0;           // that did not
};
/// Digs with what is in the hand, out of any reach. Throws Refused.
Dug dig(Game& game, const Cell& cell);

}  // namespace caravel::mini
