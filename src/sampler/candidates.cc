#include "sampler/candidates.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "sampler/token_bits.h"

namespace caravel::sampler {

void Candidates::gather(std::span<const float> logits, std::span<const int32_t> allowed, const uint32_t* mask,
                        int top_k) {
  const size_t limit = top_k > 0 ? static_cast<size_t>(top_k) : std::numeric_limits<size_t>::max();
  items_.clear();
  // With a limit, items_ is a heap whose front is the least likely of those kept.
  const auto offer = [&](int32_t token) {
    const Item item{logits[static_cast<size_t>(token)], 0.0F, token};
    if (!std::isfinite(item.logit)) return;
    if (items_.size() < limit) {
      items_.push_back(item);
      if (items_.size() == limit) std::make_heap(items_.begin(), items_.end(), likelier);
    } else if (likelier(item, items_.front())) {
      std::pop_heap(items_.begin(), items_.end(), likelier);
      items_.back() = item;
      std::push_heap(items_.begin(), items_.end(), likelier);
    }
  };
  if (!allowed.empty()) {
    for (const int32_t token : allowed) {
      if (mask == nullptr || allows(mask, token)) offer(token);
    }
  } else if (mask != nullptr) {
    for (size_t i = 0; i < words_of(logits.size()); ++i) {
      for (uint32_t word = mask[i]; word != 0; word &= word - 1) {
        offer(static_cast<int32_t>(32 * i) + std::countr_zero(word));
      }
    }
  } else {
    for (size_t token = 0; token < logits.size(); ++token) offer(static_cast<int32_t>(token));
  }
}

int32_t Candidates::best() const {
  const auto item = std::min_element(items_.begin(), items_.end(), likelier);
  return item == items_.end() ? -1 : item->token;
}

double Candidates::mass() const {
  double sum = 0;
  for (const Item& item : items_) sum += item.weight;
  return sum;
}

void Candidates::narrow(const SamplingRules& rules, double chance) {
  if (items_.empty()) return;
  const float largest = std::min_element(items_.begin(), items_.end(), likelier)->logit;
  const float temperature = rules.temperature;
  for (Item& item : items_) {
    item.logit = (item.logit - largest) / temperature;
    item.weight = std::exp(item.logit);
  }
  if (rules.typical_p < 1.0F) keep_typical(rules.typical_p);
  if (rules.top_p < 1.0F) keep_mass(mass() * rules.top_p, likelier);
  if (rules.min_p > 0.0F) {
    const float threshold = rules.min_p * std::min_element(items_.begin(), items_.end(), likelier)->weight;
    std::erase_if(items_, [&](const Item& item) { return item.weight < threshold; });
  }
  if (chance < rules.xtc_probability) exclude_top(rules.xtc_threshold);
}

void Candidates::exclude_top(float threshold) {
  // XTC, "exclude top choices" (p-e-w, text-generation-webui #6335): of several that are likely enough the least likely
  // stays, so that what follows is still likely and no longer the obvious. As in llama.cpp no token is exempt.
  const double enough = threshold * mass();
  const Item* least = nullptr;
  for (const Item& item : items_) {
    if (item.weight >= enough && (least == nullptr || likelier(*least, item))) least = &item;
  }
  if (least == nullptr) return;
  const int32_t kept = least->token;
  std::erase_if(items_, [&](const Item& item) { return item.weight >= enough && item.token != kept; });
}

void Candidates::keep_typical(float typical_p) {
  // Meister et al. 2023, "Locally typical sampling": those whose surprise is nearest to the entropy.
  const double total = mass();
  const double log_total = std::log(total);
  double entropy = 0;
  for (const Item& item : items_) {
    if (item.weight > 0) entropy += item.weight / total * (log_total - item.logit);
  }
  const double middle = log_total - entropy;  // the logit whose surprise is the entropy
  keep_mass(total * typical_p, [&](const Item& a, const Item& b) {
    const double distance_a = std::abs(a.logit - middle);
    const double distance_b = std::abs(b.logit - middle);
    return distance_a != distance_b ? distance_a < distance_b : a.token < b.token;
  });
}

/// Keeps the fewest items, first by `before`, whose weights reach `target`: quickselect by weight, so nothing is sorted
/// but the last few.
template <typename Before>
void Candidates::keep_mass(double target, Before before) {
  constexpr size_t kSmall = 16;
  size_t begin = 0;            // items [0, begin) are kept
  size_t end = items_.size();  // items [end, ...) are not
  double kept = 0;
  while (end - begin > kSmall) {
    Item* const items = items_.data();
    std::swap(items[begin], items[begin + (end - begin) / 2]);
    const Item pivot = items[begin];
    Item* const middle =
        std::partition(items + begin + 1, items + end, [&](const Item& i) { return before(i, pivot); });
    std::swap(items[begin], *(middle - 1));
    const size_t pivot_place = static_cast<size_t>(middle - 1 - items);
    double left = 0;
    for (size_t i = begin; i < pivot_place; ++i) left += items[i].weight;
    if (kept + left >= target) {
      end = pivot_place;
    } else {
      kept += left + pivot.weight;
      begin = pivot_place + 1;
      if (kept >= target) end = begin;
    }
  }
  std::sort(items_.begin() + static_cast<ptrdiff_t>(begin), items_.begin() + static_cast<ptrdiff_t>(end), before);
  while (begin < end && (kept < target || begin == 0)) kept += items_[begin++].weight;
  items_.resize(begin);
}

int32_t Candidates::draw(double uniform) const {
  const double target = uniform * mass();
  double sum = 0;
  int32_t last = -1;
  for (const Item& item : items_) {
    if (item.weight <= 0) continue;
    sum += item.weight;
    last = item.token;
    if (sum > target) break;
  }
  return last;
}

}  // namespace caravel::sampler
