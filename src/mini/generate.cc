#include <array>

#include "mini/caves.h"
#include "mini/chunk.h"
#include "mini/flora.h"
#include "mini/ores.h"
#include "mini/random.h"

namespace caravel::mini {
namespace {

constexpr uint32_t kGroundHash = 500;

struct Ground {
  Block top, under;
};

Ground ground_of(const Column& column, uint64_t random) {
  const bool under_water = column.surface < kSeaLevel - 1;
  switch (column.biome) {
    case Biome::kDesert:
      return {Block::kSand, Block::kSand};
    case Biome::kBeach:
      return {Block::kSand, Block::kSand};
    case Biome::kOcean:
      return random % 4 == 0 ? Ground{Block::kGravel, Block::kGravel} : Ground{Block::kSand, Block::kSand};
    case Biome::kRiver:
      return random % 5 == 0 ? Ground{Block::kClay, Block::kClay} : Ground{Block::kSand, Block::kGravel};
    case Biome::kStonyPeaks:
      return {Block::kStone, Block::kStone};
    case Biome::kWindsweptHills:
      if (column.surface >= 46) return {Block::kStone, Block::kStone};
      return {Block::kGrassBlock, Block::kDirt};
    case Biome::kSwamp:
      if (random % 12 == 0) return {Block::kClay, Block::kClay};
      [[fallthrough]];
    default:
      return under_water ? Ground{Block::kDirt, Block::kDirt} : Ground{Block::kGrassBlock, Block::kDirt};
  }
}

/// One column of ground and water, with caves taken out.
void fill_column(uint64_t seed, int x, int z, const Column& column, const Caves& caves, Chunk& chunk) {
  const uint64_t random = hash_of(seed, kGroundHash, x >> 1, 0, z >> 1);
  const Ground ground = ground_of(column, random);
  const bool open = column.surface >= kSeaLevel && Caves::opening(seed, x, z);
  const int roof = open ? column.surface + 1 : column.surface - 3;
  const std::bitset<kHeight> hollow = caves.hollow(x & 15, z & 15);
  chunk.at(x, 0, z) = Block::kBedrock;
  for (int y = 1; y <= column.surface; ++y) {
    Block block = Block::kStone;
    if (y == column.surface)
      block = ground.top;
    else if (y > column.surface - 4)
      block = ground.under;
    else if (column.biome == Biome::kDesert && y > column.surface - 7)
      block = Block::kSandstone;
    if (y < roof && hollow[static_cast<size_t>(y)]) block = y <= 4 ? Block::kLava : Block::kAir;
    chunk.at(x, y, z) = block;
  }
  for (int y = column.surface + 1; y < kSeaLevel; ++y)
    chunk.at(x, y, z) = y == kSeaLevel - 1 && is_snowy(column.biome) ? Block::kIce : Block::kWater;
}

void add_growth(uint64_t seed, int x, int z, const Column& column, bool by_water, Chunk& chunk) {
  const Block ground = chunk.at(x, column.surface, z);
  if (ground == Block::kAir) return;
  const Block grown = growth(seed, x, z, column, by_water);
  if (grown == Block::kAir || grown == Block::kWater) return;
  const int tall = grown == Block::kSugarCane || grown == Block::kCactus ? 2 : 1;
  for (int i = 1; i <= tall && column.surface + i < kHeight; ++i) chunk.at(x, column.surface + i, z) = grown;
  if (column.biome == Biome::kSwamp && column.surface == kSeaLevel - 2) chunk.at(x, kSeaLevel, z) = Block::kLilyPad;
}

}  // namespace

void Chunk::find_top(int column) {
  const BlockFlags& flags = block_flags();
  int y = kHeight - 1;
  for (; y > 0; --y) {
    const Block there = block[static_cast<size_t>(column * kHeight + y)];
    if (flags.opaque[static_cast<uint8_t>(there)] || is_liquid(there)) break;
  }
  top[static_cast<size_t>(column)] = static_cast<uint8_t>(y);
}

void generate(uint64_t seed, int chunk_x, int chunk_z, Chunk& chunk) {
  chunk.block.fill(Block::kAir);
  const int left = chunk_x * kChunkSide, near = chunk_z * kChunkSide;
  constexpr int kWide = kChunkSide + 2;  // one more on each side: whether there is water beside
  std::array<Column, kWide * kWide> columns;
  for (int i = 0; i < kWide; ++i)
    for (int k = 0; k < kWide; ++k)
      columns[static_cast<size_t>(i * kWide + k)] = column_at(seed, left + i - 1, near + k - 1);
  const auto column = [&](int i, int k) -> const Column& {
    return columns[static_cast<size_t>((i + 1) * kWide + k + 1)];
  };
  const Caves caves(seed, chunk_x, chunk_z);
  for (int i = 0; i < kChunkSide; ++i)
    for (int k = 0; k < kChunkSide; ++k) {
      fill_column(seed, left + i, near + k, column(i, k), caves, chunk);
      chunk.biome[static_cast<size_t>(Chunk::column(i, k))] = column(i, k).biome;
    }
  lay_ores(seed, chunk_x, chunk_z, chunk);
  for (int i = 0; i < kChunkSide; ++i)
    for (int k = 0; k < kChunkSide; ++k) {
      const auto wet = [&](int a, int c) { return column(a, c).surface < kSeaLevel - 1; };
      const bool by_water =
          column(i, k).surface == kSeaLevel - 1 && (wet(i - 1, k) || wet(i + 1, k) || wet(i, k - 1) || wet(i, k + 1));
      add_growth(seed, left + i, near + k, column(i, k), by_water, chunk);
    }
  plant_trees(seed, chunk_x, chunk_z, chunk);
  chunk.holds.reset();
  for (const Block block : chunk.block) chunk.holds.set(static_cast<size_t>(block));
  for (int i = 0; i < kColumns; ++i) chunk.find_top(i);
}

}  // namespace caravel::mini
