#include "mini/climate.h"

#include <algorithm>

#include "mini/noise.h"

namespace caravel::mini {
namespace {

enum ClimateNoise : uint32_t {
  kContinents = 100,
  kContinentsFine,
  kHills,
  kDetail,
  kMountains,
  kRidges,
  kRivers,
  kWarmth,
  kWarmthFine,
  kWetness,
  kWetnessFine
};

Biome land_biome(int warmth, int wetness, int surface, int mountain) {
  if (mountain > 0 && surface >= 50) return Biome::kStonyPeaks;
  if (mountain > 0 && surface >= 42) return Biome::kWindsweptHills;
  if (warmth < 22000) return wetness < 32000 ? Biome::kSnowyPlains : Biome::kSnowyTaiga;
  if (warmth < 28500) return wetness < 27000 ? Biome::kPlains : Biome::kTaiga;
  if (warmth > 41000) return wetness < 31000 ? Biome::kDesert : Biome::kSavanna;
  if (wetness > 42000 && surface <= 35) return Biome::kSwamp;
  if (wetness > 38000) return Biome::kBirchForest;
  return wetness > 29500 ? Biome::kForest : Biome::kPlains;
}

}  // namespace

std::string_view name_of(Biome biome) {
  constexpr std::string_view kNames[] = {"ocean",        "river",   "beach",           "plains",       "forest",
                                         "birch_forest", "swamp",   "taiga",           "snowy_plains", "snowy_taiga",
                                         "desert",       "savanna", "windswept_hills", "stony_peaks"};
  return kNames[static_cast<int>(biome)];
}

Column column_at(uint64_t seed, int x, int z) {
  const int continent = (noise2(seed, kContinents, x, z, 8) * 3 + noise2(seed, kContinentsFine, x, z, 6)) / 4;
  const int hills = noise2(seed, kHills, x, z, 5) - 32768, detail = noise2(seed, kDetail, x, z, 3) - 32768;
  constexpr int kShore = 21500;
  if (continent < kShore) {
    const int surface = std::max(16, kSeaLevel - 1 - (kShore - continent) / 900 + detail / 24000);
    return {surface, surface >= kSeaLevel - 1 ? Biome::kBeach : Biome::kOcean};
  }
  const int inland = std::min(continent - kShore, 16000);
  const int flat = kSeaLevel + inland / 4000;  // 32 to 36
  const int relief = std::min(inland, 6000);
  int surface = flat + static_cast<int>((int64_t{hills} * relief * 3 / 6000 + int64_t{detail} * relief / 6000) / 32768);
  const int mountain = std::clamp(noise2(seed, kMountains, x, z, 7) - 42000, 0, 12000) * relief / 6000;
  if (mountain > 0)
    surface += static_cast<int>(int64_t{mountain} * (26000 + noise2(seed, kRidges, x, z, 5) / 2) / 32768 / 600);
  surface = std::clamp(surface, kSeaLevel - 1, 57);
  if (inland < 900 && surface <= kSeaLevel + 1) return {surface, Biome::kBeach};

  const int from_river = std::abs(noise2(seed, kRivers, x, z, 7) - 32768);
  constexpr int kBank = 2200, kBed = 1000;
  if (from_river < kBank && mountain < 2000) {
    if (from_river < kBed) return {kSeaLevel - 2 - (kBed - from_river) / 400, Biome::kRiver};
    surface = std::min(surface, kSeaLevel + (from_river - kBed) / 200);
  }
  const int warmth = (noise2(seed, kWarmth, x, z, 7) * 3 + noise2(seed, kWarmthFine, x, z, 4)) / 4;
  const int wetness = (noise2(seed, kWetness, x, z, 7) * 3 + noise2(seed, kWetnessFine, x, z, 4)) / 4;
  return {surface, land_biome(warmth, wetness, surface, mountain)};
}

}  // namespace caravel::mini
