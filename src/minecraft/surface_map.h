#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "fields/json.h"
#include "voyager/environment.h"

namespace caravel::minecraft {

/// What the player has seen of the world from above, by chunks of 16 x 16 columns of blocks: for maps alone, since part
/// of it is hearsay.
class SurfaceMap {
 public:
  static constexpr size_t kMostChunks = 4096;  // the rest goes, longest unseen first

  /// A chunk as it is now (worlds/minecraft/bot/surface.js). What is none changes nothing.
  void take(const Json& seen);

  /// Environment::map(); empty where nothing was seen.
  voyager::MapImage draw(const voyager::Position& player, int most_pixels, std::optional<int> blocks_around) const;

  Json save() const;
  /// Throws FormatError.
  static SurfaceMap from(const Json& saved);

 private:
  static constexpr int kSide = 16;
  struct Chunk {
    int64_t seen = 0;                            // by the order in which they were
    std::array<uint32_t, kSide * kSide> colour;  // x first
  };

  void put(int x, int z, Chunk chunk);

  std::map<std::pair<int, int>, Chunk> chunks_;
  int64_t taken_ = 0;
};

/// On maps, 0xRRGGBB, of a block of Minecraft's: as in the embedded world where it is there, else by what it is made
/// of.
uint32_t block_colour(const std::string& name);

}  // namespace caravel::minecraft
