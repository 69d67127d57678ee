#pragma once

#include <cstdint>

#include "mini/chunk.h"

namespace caravel::mini {

struct Tree {
  int wood = 0;    // of kWoodNames
  int height = 0;  // blocks of trunk
  bool pointed = false;
};

/// Stands a tree with its foot at x, y, z; `set(x, y, z, block)` is asked for every block of it, leaves before trunk.
template <typename Set>
void grow_tree(const Tree& tree, int x, int y, int z, const Set& set) {
  const int top = y + tree.height;
  const Block leaves = wood_block(Block::kOakLeaves, tree.wood);
  for (int level = tree.pointed ? y + 2 : top - 2; level <= top + 1; ++level) {
    int reach = level >= top ? 1 : 2;
    if (tree.pointed) reach = level > top ? 0 : (top - level) % 2 == 0 ? 1 : 2;
    for (int i = -reach; i <= reach; ++i)
      for (int k = -reach; k <= reach; ++k) {
        const bool corner = i * i == reach * reach && k * k == reach * reach && reach > 0;
        if (corner && (reach == 2 || level > top)) continue;
        set(x + i, level, z + k, leaves);
      }
  }
  for (int level = y; level < top; ++level) set(x, level, z, wood_block(Block::kOakLog, tree.wood));
}

/// The farthest that a tree's leaves are from its trunk, in x and z.
inline constexpr int kTreeReach = 2;

/// Trees whose leaves or trunks are in the chunk, wherever they stand.
void plant_trees(uint64_t seed, int chunk_x, int chunk_z, Chunk& chunk);
/// What grows on the ground of one column: over its highest block of ground, or in the water there. `by_water`: beside.
Block growth(uint64_t seed, int x, int z, const Column& column, bool by_water);

}  // namespace caravel::mini
