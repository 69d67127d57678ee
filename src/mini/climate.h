#pragma once

#include <cstdint>
#include <string_view>

namespace caravel::mini {

inline constexpr int kHeight = 64;    // blocks, y from 0
inline constexpr int kSeaLevel = 32;  // water fills what is lower
inline constexpr int kEnd = 1 << 20;  // x and z go from -kEnd to below kEnd; bedrock stands there

enum class Biome : uint8_t {
  kOcean,
  kRiver,
  kBeach,
  kPlains,
  kForest,
  kBirchForest,
  kSwamp,
  kTaiga,
  kSnowyPlains,
  kSnowyTaiga,
  kDesert,
  kSavanna,
  kWindsweptHills,
  kStonyPeaks
};
std::string_view name_of(Biome biome);
inline bool is_snowy(Biome biome) { return biome == Biome::kSnowyPlains || biome == Biome::kSnowyTaiga; }

/// What the seed says of a column, before trees and what the player did.
struct Column {
  int surface = 0;  // y of its highest block of ground
  Biome biome = Biome::kPlains;
};
Column column_at(uint64_t seed, int x, int z);

}  // namespace caravel::mini
