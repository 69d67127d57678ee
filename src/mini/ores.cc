#include "mini/ores.h"

#include <algorithm>

#include "mini/cell.h"
#include "mini/random.h"

namespace caravel::mini {
namespace {

struct Vein {
  Block block;
  int tenths;           // veins in ten chunks
  int size;             // blocks, at most
  int lowest, highest;  // where it begins
};
constexpr Vein kVeins[] = {
    {Block::kDirt, 20, 24, 8, 50},       {Block::kGravel, 15, 24, 4, 40},    {Block::kGranite, 12, 28, 2, 40},
    {Block::kDiorite, 12, 28, 2, 40},    {Block::kAndesite, 12, 28, 2, 40},  {Block::kCoalOre, 110, 10, 10, 58},
    {Block::kIronOre, 80, 7, 4, 42},     {Block::kCopperOre, 40, 8, 10, 44}, {Block::kGoldOre, 20, 7, 2, 18},
    {Block::kRedstoneOre, 40, 6, 2, 14}, {Block::kLapisOre, 15, 6, 2, 22},   {Block::kDiamondOre, 10, 6, 2, 12},
};
constexpr uint32_t kOreHash = 400;

void lay(Vein vein, Random& random, Chunk& chunk) {
  Cell at = {random.below(16), random.between(vein.lowest, vein.highest), random.below(16)};
  for (int i = 0; i < vein.size; ++i) {
    Block& there = chunk.at(at.x, at.y, at.z);
    if (there == Block::kStone) there = vein.block;
    at = at + kFaces[random.below(6)];
    at = {std::clamp(at.x, 0, 15), std::clamp(at.y, 1, kHeight - 2), std::clamp(at.z, 0, 15)};
  }
}

}  // namespace

void lay_ores(uint64_t seed, int chunk_x, int chunk_z, Chunk& chunk) {
  Random random(hash_of(seed, kOreHash, chunk_x, 0, chunk_z));
  for (const Vein& vein : kVeins) {
    const int veins = vein.tenths / 10 + (random.below(10) < vein.tenths % 10 ? 1 : 0);
    for (int i = 0; i < veins; ++i) lay(vein, random, chunk);
  }
  const Biome biome = chunk.biome[0];
  if (biome == Biome::kWindsweptHills || biome == Biome::kStonyPeaks)
    for (int i = 0; i < 4; ++i) lay({Block::kEmeraldOre, 0, 2, 8, 44}, random, chunk);
}

}  // namespace caravel::mini
