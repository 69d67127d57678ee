#include "format/fingerprint.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/hash.h"

namespace caravel::format {
namespace {

constexpr uint64_t kSampleBytes = 4096;

Hash128 add(Hash128 hash, std::string_view text) { return hash128(text.data(), text.size(), hash); }

Hash128 add(Hash128 hash, const WeightSource& source, const WeightInfo& weight) {
  hash = add(hash, fmt::format("{} {} {}", weight.name, dtype_info(weight.dtype).name, fmt::join(weight.shape, "x")));
  if (weight.dummy_key) return add(hash, fmt::format("{:016x}", *weight.dummy_key));
  const uint64_t size = std::min(weight.bytes, kSampleBytes);
  for (const uint64_t at : {uint64_t{0}, (weight.bytes - size) / 2, weight.bytes - size}) {
    if (size == 0) continue;
    const MappedBytes sample = source.map(weight, at, size);
    hash = hash128(sample.bytes().data(), sample.bytes().size(), hash);
  }
  return hash;
}

}  // namespace

std::string fingerprint(const WeightSource& source) {
  Hash128 hash = add({}, source.config().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  for (const WeightInfo& weight : source.weights()) {
    hash = add(hash, source, weight);
    if (weight.scale != nullptr) hash = add(hash, source, *weight.scale);
  }
  return fmt::format("{:016x}{:016x}", hash.high, hash.low);
}

}  // namespace caravel::format
