#pragma once

#include <string_view>

#include "mini/game.h"

namespace caravel::mini {

/// Of a game that is new: the player comes to where there is land, and trees near.
void begin(Game& game);

/// Lets ticks pass: creatures, growth, hunger, breath. `effort` as a hundred for each tick of hard work. Throws
/// Refused where the player died: it is at home then, with all that it had.
void pass(Game& game, int ticks, int effort);

/// Takes half hearts. `by`: "a zombie". Throws Refused as pass() does.
void hurt(Game& game, int points, std::string_view by, bool armour_helps);

/// The player is where it can stand: falls to the ground, and is hurt when that is deep. Takes in what is around.
void settle(Game& game);

/// Into the inventory; how many found no room, and are lost. Events for what is new.
int give(Game& game, ItemId item, int count, int wear = 0);
/// One use of what is in the hand, where it wears out.
void use_tool(Game& game);
/// Takes from the inventory; the hand is empty when none is left.
void take(Game& game, ItemId item, int count);

std::string_view time_of_day(int64_t tick);
bool is_dark(int64_t tick);

}  // namespace caravel::mini
