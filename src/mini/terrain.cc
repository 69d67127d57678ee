#include "mini/terrain.h"

#include <algorithm>

namespace caravel::mini {
namespace {

constexpr size_t kMostChunks = 1024;  // of 17 KB each

}  // namespace

const Chunk& Terrain::find(int chunk_x, int chunk_z) const {
  const uint64_t key = uint64_t{static_cast<uint32_t>(chunk_x)} << 32 | static_cast<uint32_t>(chunk_z);
  auto found = chunks_.find(key);
  if (found == chunks_.end()) {
    if (chunks_.size() >= kMostChunks) chunks_.clear();
    auto made = std::make_unique<Chunk>();
    generate(seed_, chunk_x, chunk_z, *made);
    if (const auto record = records_.find({chunk_x, chunk_z}); record != records_.end()) {
      for (const auto& [index, block] : record->second.changed) {
        made->block[index] = block;
        made->holds.set(static_cast<size_t>(block));
        made->find_top(index / kHeight);
      }
    }
    found = chunks_.emplace(key, std::move(made)).first;
  }
  last_ = found->second.get();
  last_x_ = chunk_x;
  last_z_ = chunk_z;
  return *last_;
}

void Terrain::set(const Cell& cell, Block block) {
  const int chunk_x = cell.x >> 4, chunk_z = cell.z >> 4;
  records_[{chunk_x, chunk_z}].changed[static_cast<uint16_t>(Chunk::index(cell.x, cell.y, cell.z))] = block;
  chunk(chunk_x, chunk_z);  // of last_
  last_->at(cell.x, cell.y, cell.z) = block;
  last_->holds.set(static_cast<size_t>(block));
  last_->find_top(Chunk::column(cell.x, cell.z));
}

void Terrain::see(int x, int z, int radius, bool below) {
  for (int i = -radius; i <= radius; ++i) {
    int reach = 0;
    while ((reach + 1) * (reach + 1) + i * i <= radius * radius) ++reach;
    for (int k = z - reach; k <= z + reach;) {
      const int end = std::min((k | 15), z + reach);  // the last of this chunk
      ChunkRecord& record = records_[{(x + i) >> 4, k >> 4}];
      auto& seen = below ? record.seen_below : record.seen;
      const unsigned bits = ((2u << (end & 15)) - 1) & ~((1u << (k & 15)) - 1);
      seen[static_cast<size_t>((x + i) & 15)] = static_cast<uint16_t>(seen[static_cast<size_t>((x + i) & 15)] | bits);
      k = end + 1;
    }
  }
}

}  // namespace caravel::mini
