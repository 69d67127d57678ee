#pragma once

#include "mini/game.h"

namespace caravel::mini {

voyager::Observation observe(const Game& game);

}  // namespace caravel::mini
