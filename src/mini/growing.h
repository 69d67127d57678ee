#pragma once

#include "mini/game.h"

namespace caravel::mini {

inline constexpr int kWheatTicks = 12000, kTreeTicks = 12000;

/// Saplings become trees and wheat ripens when its tick has come.
void grow(Game& game);

}  // namespace caravel::mini
