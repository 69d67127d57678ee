#pragma once

#include "mini/game.h"

namespace caravel::mini {

/// Now and then: animals come to grass around the player up to a number, hostile creatures to the dark; who is too far
/// away is forgotten, and the undead burn by day.
void spawn(Game& game);

}  // namespace caravel::mini
