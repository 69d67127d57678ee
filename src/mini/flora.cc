#include "mini/flora.h"

#include <optional>

#include "mini/caves.h"
#include "mini/random.h"

namespace caravel::mini {
namespace {

enum FloraHash : uint32_t { kTreePlace = 300, kTreeKind, kGrowth };
enum Wood { kOak, kBirch, kSpruce, kAcacia };

/// Of each square of four by four blocks, in a hundred: how many have a tree.
int tree_chance(Biome biome) {
  switch (biome) {
    case Biome::kForest:
    case Biome::kBirchForest:
      return 55;
    case Biome::kTaiga:
      return 50;
    case Biome::kSnowyTaiga:
      return 40;
    case Biome::kSwamp:
      return 18;
    case Biome::kSavanna:
      return 8;
    case Biome::kWindsweptHills:
      return 8;
    case Biome::kPlains:
      return 4;
    case Biome::kSnowyPlains:
      return 3;
    default:
      return 0;
  }
}

Tree tree_of(Biome biome, uint64_t random) {
  const int taller = static_cast<int>(random % 3);
  switch (biome) {
    case Biome::kBirchForest:
      return {kBirch, 5 + taller, false};
    case Biome::kForest:
      return random % 5 == 0 ? Tree{kBirch, 5 + taller, false} : Tree{kOak, 4 + taller, false};
    case Biome::kSavanna:
      return {kAcacia, 4 + taller, false};
    case Biome::kTaiga:
    case Biome::kSnowyTaiga:
    case Biome::kSnowyPlains:
    case Biome::kWindsweptHills:
      return {kSpruce, 5 + taller, true};
    default:
      return {kOak, 4 + taller, false};
  }
}

}  // namespace

void plant_trees(uint64_t seed, int chunk_x, int chunk_z, Chunk& chunk) {
  const int left = chunk_x * 16, near = chunk_z * 16;
  for (int i = -1; i <= 4; ++i)
    for (int k = -1; k <= 4; ++k) {
      const int square_x = (left >> 2) + i, square_z = (near >> 2) + k;
      const uint64_t place = hash_of(seed, kTreePlace, square_x, 0, square_z);
      const int chance = static_cast<int>(place >> 32) % 100;
      if (chance < 0 || chance >= 55) continue;
      const int x = square_x * 4 + static_cast<int>(place & 3), z = square_z * 4 + static_cast<int>(place >> 2 & 3);
      if (x < left - kTreeReach || x > left + 15 + kTreeReach || z < near - kTreeReach || z > near + 15 + kTreeReach)
        continue;
      const Column column = column_at(seed, x, z);
      if (chance >= tree_chance(column.biome) || column.surface < kSeaLevel - 1 || Caves::opening(seed, x, z)) continue;
      grow_tree(tree_of(column.biome, hash_of(seed, kTreeKind, x, 0, z)), x, column.surface + 1, z,
                [&](int bx, int by, int bz, Block block) {
                  if (bx >> 4 != chunk_x || bz >> 4 != chunk_z || by >= kHeight) return;
                  Block& there = chunk.at(bx, by, bz);
                  const bool trunk = there >= Block::kOakLog && there <= Block::kAcaciaLog;
                  if (!is_solid(there) || (block <= Block::kAcaciaLog && !trunk)) there = block;
                });
    }
}

Block growth(uint64_t seed, int x, int z, const Column& column, bool by_water) {
  const auto draw = static_cast<int>(hash_of(seed, kGrowth, x, 0, z) >> 40) % 1000;
  if (column.surface < kSeaLevel - 1) {
    if (column.biome == Biome::kOcean && column.surface < kSeaLevel - 3 && draw < 60) return Block::kKelp;
    return Block::kWater;
  }
  if (by_water && draw < 120 && !is_snowy(column.biome)) return Block::kSugarCane;
  switch (column.biome) {
    case Biome::kDesert:
      return draw < 8 ? Block::kCactus : draw < 20 ? Block::kDeadBush : Block::kAir;
    case Biome::kPlains:
      if (draw < 3) return Block::kPumpkin;
      if (draw >= 300 && draw < 306) return Block::kPoppy;
      if (draw >= 306 && draw < 314) return Block::kDandelion;
      if (draw >= 314 && draw < 318) return Block::kOxeyeDaisy;
      if (draw >= 318 && draw < 321) return Block::kCornflower;
      return draw < 180 ? Block::kGrass : Block::kAir;
    case Biome::kForest:
    case Biome::kBirchForest:
      if (draw < 2) return Block::kPumpkin;
      if (draw >= 300 && draw < 305) return Block::kPoppy;
      if (draw >= 305 && draw < 308) return Block::kBrownMushroom;
      if (draw >= 308 && draw < 311) return Block::kRedMushroom;
      return draw < 70 ? Block::kGrass : Block::kAir;
    case Biome::kSwamp:
      if (draw >= 300 && draw < 310) return Block::kBrownMushroom;
      if (draw >= 310 && draw < 320) return Block::kRedMushroom;
      return draw < 90 ? Block::kGrass : Block::kAir;
    case Biome::kTaiga:
      if (draw < 12) return Block::kSweetBerryBush;
      return draw < 90 ? Block::kFern : Block::kAir;
    case Biome::kSavanna:
      return draw < 220 ? Block::kGrass : Block::kAir;
    case Biome::kSnowyPlains:
    case Biome::kSnowyTaiga:
      return Block::kSnow;
    case Biome::kStonyPeaks:
      return column.surface > 54 ? Block::kSnow : Block::kAir;
    default:
      return Block::kAir;
  }
}

}  // namespace caravel::mini
