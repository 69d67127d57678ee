#include "minecraft/surface_map.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/base64.h"
#include "base/error.h"
#include "voyager/draw_map.h"

namespace caravel::minecraft {
namespace {

constexpr int kBorder = 30'000'000 / 16;  // the world's border, in chunks
constexpr size_t kMostBlockName = 64;
constexpr int kAtSea = 128;  // the height's byte there

uint8_t byte_of(const std::string& bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

bool is_place(const Json& value) { return value.is_number_integer() && std::abs(value.get<double>()) <= kBorder; }

std::optional<std::string> bytes_of(const Json& value, size_t size) {
  if (!value.is_string()) return std::nullopt;
  auto bytes = from_base64(value.get_ref<const std::string&>());
  if (!bytes || bytes->size() != size) return std::nullopt;
  return bytes;
}

int block_of(double at) { return static_cast<int>(std::floor(std::clamp(at, -3e7, 3e7))); }

}  // namespace

void SurfaceMap::take(const Json& seen) {
  constexpr size_t kPlaces = kSide * kSide;
  if (!seen.is_object()) return;
  const Json x = seen.value("x", Json()), z = seen.value("z", Json()), names = seen.value("names", Json());
  const auto tops = bytes_of(seen.value("tops", Json()), 2 * kPlaces);
  if (!is_place(x) || !is_place(z) || !names.is_array() || names.size() > kPlaces || !tops) return;
  std::vector<uint32_t> colours;
  for (const Json& name : names) {
    if (!name.is_string() || name.get_ref<const std::string&>().size() > kMostBlockName) return;
    colours.push_back(block_colour(name.get_ref<const std::string&>()));
  }
  Chunk chunk;
  for (size_t i = 0; i < kPlaces; ++i) {
    const size_t name = byte_of(*tops, 2 * i);
    if (name >= colours.size()) return;
    chunk.colour[i] = voyager::shaded_by_height(colours[name], byte_of(*tops, 2 * i + 1) - kAtSea);
  }
  put(x.get<int>(), z.get<int>(), chunk);
}

void SurfaceMap::put(int x, int z, Chunk chunk) {
  chunk.seen = ++taken_;
  chunks_[{x, z}] = chunk;
  if (chunks_.size() <= kMostChunks) return;
  const auto oldest = std::ranges::min_element(chunks_, {}, [](const auto& entry) { return entry.second.seen; });
  chunks_.erase(oldest);
}

voyager::MapImage SurfaceMap::draw(const voyager::Position& player, int most_pixels,
                                   std::optional<int> blocks_around) const {
  if (chunks_.empty()) return {};
  auto [left, top] = chunks_.begin()->first;
  int right = left, bottom = top;
  for (const auto& [place, chunk] : chunks_) {
    left = std::min(left, place.first);
    right = std::max(right, place.first);
    top = std::min(top, place.second);
    bottom = std::max(bottom, place.second);
  }
  const voyager::Columns seen{left * kSide, top * kSide, (right - left + 1) * kSide, (bottom - top + 1) * kSide};
  const auto colour = [this](const voyager::Column& at) {
    const auto found = chunks_.find({at.x >> 4, at.z >> 4});
    if (found == chunks_.end()) return voyager::kUnseenColour;
    return found->second.colour[static_cast<size_t>((at.z & 15) * kSide + (at.x & 15))];
  };
  return voyager::draw_map(seen, {block_of(player.x), block_of(player.z)}, most_pixels, blocks_around, colour);
}

Json SurfaceMap::save() const {
  std::vector<const std::pair<const std::pair<int, int>, Chunk>*> in_order;
  for (const auto& entry : chunks_) in_order.push_back(&entry);
  std::ranges::sort(in_order, {}, [](const auto* entry) { return entry->second.seen; });
  Json saved = Json::array();
  for (const auto* const entry : in_order) {
    std::string bytes;
    for (const uint32_t colour : entry->second.colour)
      for (int shift = 16; shift >= 0; shift -= 8) bytes += static_cast<char>(colour >> shift & 255);
    saved.push_back({entry->first.first, entry->first.second, base64(bytes)});
  }
  return saved;
}

SurfaceMap SurfaceMap::from(const Json& saved) {
  SurfaceMap map;
  if (!saved.is_array()) throw FormatError("the saved map is none");
  for (const Json& one : saved) {
    if (!one.is_array() || one.size() != 3 || !is_place(one[0]) || !is_place(one[1]))
      throw FormatError("the saved map has a chunk that is none");
    Chunk chunk;
    const auto bytes = bytes_of(one[2], 3 * chunk.colour.size());
    if (!bytes) throw FormatError("the saved map has a chunk without its colours");
    for (size_t i = 0; i < chunk.colour.size(); ++i) {
      chunk.colour[i] = static_cast<uint32_t>(byte_of(*bytes, 3 * i)) << 16 |
                        static_cast<uint32_t>(byte_of(*bytes, 3 * i + 1)) << 8 | byte_of(*bytes, 3 * i + 2);
    }
    map.put(one[0].get<int>(), one[1].get<int>(), chunk);
  }
  return map;
}

}  // namespace caravel::minecraft
