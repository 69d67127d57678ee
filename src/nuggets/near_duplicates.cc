#include "nuggets/near_duplicates.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "base/philox.h"
#include "nuggets/shares.h"
#include "nuggets/shingles.h"

namespace caravel::nuggets {
namespace {

constexpr size_t kBands = 16;
constexpr size_t kHashesInBand = 8;
constexpr size_t kHashes = kBands * kHashesInBand;
constexpr uint32_t kMostInBucket = 64;
constexpr size_t kMostCompared = 32;

using Shingles = std::vector<uint64_t>;
using BandKeys = std::array<uint64_t, kBands>;

double jaccard(const Shingles& a, const Shingles& b) {
  if (a.empty() && b.empty()) return 1;
  size_t common = 0;
  for (auto x = a.begin(), y = b.begin(); x != a.end() && y != b.end();) {
    if (*x == *y) {
      ++common, ++x, ++y;
    } else {
      *x < *y ? ++x : ++y;
    }
  }
  return static_cast<double>(common) / static_cast<double>(a.size() + b.size() - common);
}

/// Each hash function permutes 32 bits: it mixes in a number of its own, then spreads as MurmurHash3's finalizer does.
const std::array<uint32_t, kHashes>& permutations() {
  static const std::array<uint32_t, kHashes> numbers = [] {
    std::array<uint32_t, kHashes> drawn = {};
    for (uint32_t i = 0; i < kHashes; ++i) drawn[i] = philox({i, 0, 0, 0}, {0, 0})[0];
    return drawn;
  }();
  return numbers;
}

BandKeys band_keys(const Shingles& shingles) {
  const auto& numbers = permutations();
  std::array<uint32_t, kHashes> least;
  least.fill(std::numeric_limits<uint32_t>::max());
  for (const uint64_t shingle : shingles) {
    const auto bits = static_cast<uint32_t>(shingle);
    for (size_t i = 0; i < kHashes; ++i) {
      uint32_t hash = bits ^ numbers[i];
      hash = (hash ^ hash >> 16) * 0x85EBCA6BU;
      hash = (hash ^ hash >> 13) * 0xC2B2AE35U;
      hash ^= hash >> 16;
      least[i] = std::min(least[i], hash);
    }
  }
  BandKeys keys;
  for (size_t band = 0; band < kBands; ++band) {
    keys[band] = hash128(&least[band * kHashesInBand], kHashesInBand * sizeof(uint32_t)).low;
  }
  return keys;
}

/// The rows that are kept so far, by one band's key. A bucket's rows lie side by side from its `begin` on.
class Buckets {
 public:
  Buckets() = default;
  Buckets(const std::vector<BandKeys>& keys, size_t band)
      : begin_(keys.size()), rows_(keys.size()), kept_(keys.size()) {
    std::vector<std::pair<uint64_t, uint32_t>> order(keys.size());
    for (uint32_t row = 0; row < order.size(); ++row) order[row] = {keys[row][band], row};
    std::sort(order.begin(), order.end());
    uint32_t begin = 0;
    for (uint32_t i = 0; i < order.size(); ++i) {
      if (order[i].first != order[begin].first) begin = i;
      begin_[order[i].second] = begin;
    }
  }

  void keep(uint32_t row) {
    uint32_t& count = kept_[begin_[row]];
    if (count < kMostInBucket) rows_[begin_[row] + count++] = row;
  }

  /// Kept rows whose key is this row's.
  std::span<const uint32_t> beside(size_t row) const { return {&rows_[begin_[row]], kept_[begin_[row]]}; }

 private:
  std::vector<uint32_t> begin_;  // by row
  std::vector<uint32_t> rows_;
  std::vector<uint32_t> kept_;  // by begin
};

/// Kept rows that share most bands with this one, ascending.
std::vector<uint32_t> to_compare(const std::vector<Buckets>& bands, size_t row) {
  std::vector<uint32_t> met;
  for (const Buckets& buckets : bands) {
    const auto beside = buckets.beside(row);
    met.insert(met.end(), beside.begin(), beside.end());
  }
  std::sort(met.begin(), met.end());
  std::vector<std::pair<int, uint32_t>> counted;  // minus the bands that are shared
  for (const uint32_t other : met) {
    if (counted.empty() || counted.back().second != other) counted.emplace_back(0, other);
    --counted.back().first;
  }
  if (counted.size() > kMostCompared) {
    std::sort(counted.begin(), counted.end());
    counted.resize(kMostCompared);
  }
  met.clear();
  for (const auto& [bands_shared, other] : counted) met.push_back(other);
  std::sort(met.begin(), met.end());
  return met;
}

}  // namespace

double likeness(std::string_view a, std::string_view b) { return jaccard(shingles_of(a), shingles_of(b)); }

std::vector<std::optional<Near>> near_duplicates(std::span<const std::string_view> texts, double threshold,
                                                 ThreadPool& pool) {
  CARAVEL_CHECK(texts.size() < std::numeric_limits<uint32_t>::max());
  CARAVEL_CHECK(threshold > 0 && threshold <= 1);
  std::vector<BandKeys> keys(texts.size());
  in_shares(pool, static_cast<int64_t>(texts.size()), [&](int64_t begin, int64_t end) {
    for (auto row = static_cast<size_t>(begin); row < static_cast<size_t>(end); ++row) {
      keys[row] = band_keys(shingles_of(texts[row]));
    }
  });
  std::vector<Buckets> bands(kBands);
  in_shares(pool, kBands, [&](int64_t begin, int64_t end) {
    for (auto band = static_cast<size_t>(begin); band < static_cast<size_t>(end); ++band) {
      bands[band] = Buckets(keys, band);
    }
  });
  std::vector<std::optional<Near>> near(texts.size());
  for (uint32_t row = 0; row < texts.size(); ++row) {
    const std::vector<uint32_t> others = to_compare(bands, row);
    const Shingles own = others.empty() ? Shingles() : shingles_of(texts[row]);
    for (const uint32_t other : others) {
      const double alike = texts[row] == texts[other] ? 1 : jaccard(own, shingles_of(texts[other]));
      if (alike < threshold) continue;
      near[row] = Near{other, alike};
      break;
    }
    if (near[row]) continue;
    for (Buckets& buckets : bands) buckets.keep(row);
  }
  return near;
}

}  // namespace caravel::nuggets
