#pragma once

#include <string>
#include <vector>

namespace caravel::mini {

/// Every item that can be had in this world: dug, got from creatures, crafted or smelted from such. By name.
const std::vector<std::string>& obtainable_items();

}  // namespace caravel::mini
