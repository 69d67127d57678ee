#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "mini/game.h"

namespace caravel::mini {

/// All that the seed does not say. Of equal worlds the bytes are equal.
std::string saved(const Game& game);
/// Throws FormatError.
std::unique_ptr<Game> loaded(std::string_view bytes);

}  // namespace caravel::mini
