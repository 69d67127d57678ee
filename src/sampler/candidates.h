#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sampler/sampling_rules.h"

namespace caravel::sampler {

/// The tokens that may still be drawn at one place, narrowed pass by pass. Its memory is kept between rows.
class Candidates {
 public:
  explicit Candidates(size_t vocab_size) { items_.reserve(vocab_size); }

  /// Those of `logits` [vocab] that are finite (of `allowed`, unless it is empty, and of `mask`, where there is one);
  /// the top_k largest of them, where top_k > 0, equals by lower id. mask: as in SampleRow.
  void gather(std::span<const float> logits, std::span<const int32_t> allowed, const uint32_t* mask, int top_k);
  /// The most likely one, the lowest id among equals; -1 when there is none.
  int32_t best() const;

  /// Temperature, typical-p, top-p, min-p and XTC, in this order, each on what the one before left over. chance: in
  /// [0, 1), XTC's own.
  void narrow(const SamplingRules& rules, double chance);
  /// Inverts the cumulative distribution at `uniform` in [0, 1); -1 when there is none.
  int32_t draw(double uniform) const;

  bool empty() const { return items_.empty(); }
  size_t size() const { return items_.size(); }

 private:
  struct Item {
    float logit;   // after narrow(): divided by the temperature, the largest being 0
    float weight;  // exp(logit)
    int32_t token;
  };
  static bool likelier(const Item& a, const Item& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  }
  double mass() const;
  void keep_typical(float typical_p);
  void exclude_top(float threshold);
  template <typename Before>
  void keep_mass(double target, Before before);

  std::vector<Item> items_;
};

}  // namespace caravel::sampler
