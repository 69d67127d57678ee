#pragma once

#include <vector>

#include "voyager/environment.h"

namespace caravel::mini {

/// The control primitives, from their files: the comment at the top of each is its help.
std::vector<voyager::Primitive> primitives();

/// The player's calls, which primitives are made of: "bot:NAME(...)", without source.
std::vector<voyager::Primitive> player_calls();

/// The embedded world's, with both of these.
voyager::WorldDescription describe();

}  // namespace caravel::mini
