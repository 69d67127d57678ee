#include "sampler/token_counts.h"

#include <algorithm>
#include <bit>

namespace caravel::sampler {

void TokenCounts::add_prompt(std::span<const int32_t> tokens) {
  for (const int32_t token : tokens) find_or_insert(token);
}

void TokenCounts::reserve(size_t distinct) {
  entries_.reserve(distinct);
  const size_t slots = std::bit_ceil(std::max<size_t>(16, distinct * 2));
  if (slots > slots_.size()) rehash(slots);
}

TokenCounts::Entry& TokenCounts::find_or_insert(int32_t token) {
  if ((entries_.size() + 1) * 2 > slots_.size()) rehash(std::max<size_t>(16, slots_.size() * 2));
  const size_t place = place_of(token);
  if (slots_[place] < 0) {
    slots_[place] = static_cast<int32_t>(entries_.size());
    entries_.push_back({token, 0});
  }
  return entries_[static_cast<size_t>(slots_[place])];
}

size_t TokenCounts::place_of(int32_t token) const {
  const size_t mask = slots_.size() - 1;
  size_t place = (static_cast<uint32_t>(token) * 0x9E3779B1U) & mask;
  while (slots_[place] >= 0 && entries_[static_cast<size_t>(slots_[place])].token != token) place = (place + 1) & mask;
  return place;
}

void TokenCounts::rehash(size_t slots) {
  slots_.assign(slots, -1);
  for (size_t i = 0; i < entries_.size(); ++i) slots_[place_of(entries_[i].token)] = static_cast<int32_t>(i);
}

}  // namespace caravel::sampler
