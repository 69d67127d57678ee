#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "mini/cell.h"
#include "mini/chunk.h"

namespace caravel::mini {

/// What cannot be had from the seed again: one chunk's changes, and which of its columns the player has seen.
struct ChunkRecord {
  std::map<uint16_t, Block> changed;              // by Chunk::index
  std::array<uint16_t, kChunkSide> seen{};        // [x], a bit for each z: from under the sky
  std::array<uint16_t, kChunkSide> seen_below{};  // the same, from below the ground
};

/// All blocks of a world. Chunks are made when they are first asked for and forgotten when they are many: what differs
/// from the seed is kept apart.
class Terrain {
 public:
  explicit Terrain(uint64_t seed) : seed_(seed) {}

  uint64_t seed() const { return seed_; }
  /// Bedrock below the world and past its ends, air above it.
  Block at(const Cell& cell) const {
    if (cell.y >= kHeight) return Block::kAir;
    if (cell.y < 0 || cell.x < -kEnd || cell.x >= kEnd || cell.z < -kEnd || cell.z >= kEnd) return Block::kBedrock;
    return chunk(cell.x >> 4, cell.z >> 4).at(cell.x, cell.y, cell.z);
  }
  /// Of a cell inside of the world.
  void set(const Cell& cell, Block block);

  /// Valid until the next call.
  const Chunk& chunk(int chunk_x, int chunk_z) const {
    return last_ && last_x_ == chunk_x && last_z_ == chunk_z ? *last_ : find(chunk_x, chunk_z);
  }
  /// y of the highest block that keeps the sky out, or is liquid.
  int top(int x, int z) const { return chunk(x >> 4, z >> 4).top[static_cast<size_t>(Chunk::column(x, z))]; }
  bool under_sky(const Cell& cell) const { return cell.y >= top(cell.x, cell.z); }
  Biome biome(int x, int z) const { return chunk(x >> 4, z >> 4).biome[static_cast<size_t>(Chunk::column(x, z))]; }

  /// Columns within `radius` blocks of x, z are seen.
  void see(int x, int z, int radius, bool below);

  using Place = std::pair<int, int>;  // of a chunk
  const std::map<Place, ChunkRecord>& records() const { return records_; }
  void set_record(Place place, ChunkRecord record) { records_[place] = std::move(record); }

 private:
  const Chunk& find(int chunk_x, int chunk_z) const;

  uint64_t seed_;
  std::map<Place, ChunkRecord> records_;
  mutable std::unordered_map<uint64_t, std::unique_ptr<Chunk>> chunks_;
  mutable Chunk* last_ = nullptr;
  mutable int last_x_ = 0, last_z_ = 0;
};

}  // namespace caravel::mini
