#pragma once

#include <array>
#include <bitset>
#include <cstdint>

#include "mini/blocks.h"
#include "mini/climate.h"

namespace caravel::mini {

inline constexpr int kChunkSide = 16;
inline constexpr int kColumns = kChunkSide * kChunkSide;

/// 16 x 64 x 16 blocks. Which chunk: x and z of its blocks, shifted right by 4.
struct Chunk {
  std::array<Block, kColumns * kHeight> block{};  // [x, z, y]
  std::array<Biome, kColumns> biome{};            // [x, z]
  std::array<uint8_t, kColumns> top{};            // [x, z]: y of the highest block that keeps the sky out, or is liquid
  std::bitset<256> holds;                         // kinds of blocks that are in it, and maybe some that were

  /// x and z of the world, or from 0 to 15: the same.
  static int column(int x, int z) { return (x & 15) << 4 | (z & 15); }
  static int index(int x, int y, int z) { return column(x, z) * kHeight + y; }
  Block& at(int x, int y, int z) { return block[static_cast<size_t>(index(x, y, z))]; }
  Block at(int x, int y, int z) const { return block[static_cast<size_t>(index(x, y, z))]; }
  void find_top(int column);
};

/// As the seed has it; a function of these alone.
void generate(uint64_t seed, int chunk_x, int chunk_z, Chunk& chunk);

}  // namespace caravel::mini
