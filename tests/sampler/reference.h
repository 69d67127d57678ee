#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

#include "caravel/request.h"

namespace caravel::sampler {

/// The distribution that `params` draw from after `prompt` and `output`, by the definitions, in double and with full
/// sorts: [vocab] probabilities. `params` are resolved. Bad words and end ids are the caller's.
inline std::vector<double> reference_distribution(const std::vector<float>& logits, const SamplingParams& params,
                                                  const std::vector<int32_t>& prompt,
                                                  const std::vector<int32_t>& output,
                                                  const std::vector<int32_t>& forbidden = {}) {
  const size_t vocab = logits.size();
  std::vector<double> x(logits.begin(), logits.end());
  const auto forbid = [&](size_t token) { x[token] = -INFINITY; };
  for (size_t token = 0; token < vocab; ++token) {
    const auto& allowed = params.allowed_token_ids;
    if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), token) == allowed.end()) forbid(token);
  }
  for (const int32_t token : forbidden) forbid(static_cast<size_t>(token));
  for (const auto& [token, bias] : params.logit_bias) x[static_cast<size_t>(token)] += bias;
  std::map<size_t, int> counts;
  for (const int32_t token : output) ++counts[static_cast<size_t>(token)];
  std::map<size_t, int> seen = counts;
  for (const int32_t token : prompt) ++seen[static_cast<size_t>(token)];
  for (const auto& [token, count] : seen) {
    x[token] = x[token] > 0 ? x[token] / *params.repetition_penalty : x[token] * *params.repetition_penalty;
  }
  for (const auto& [token, count] : counts) x[token] -= *params.presence_penalty + *params.frequency_penalty * count;

  std::vector<double> p(vocab);
  const double largest = *std::max_element(x.begin(), x.end());
  for (size_t i = 0; i < vocab; ++i) p[i] = std::exp((x[i] - largest) / *params.temperature);
  const auto normalise = [&] {
    double sum = 0;
    for (const double v : p) sum += v;
    for (double& v : p) v /= sum;
  };
  normalise();
  // Keeps the first of the order until `mass` is reached.
  const auto keep = [&](auto key, double mass, size_t limit) {
    std::vector<size_t> order;
    for (size_t i = 0; i < vocab; ++i) {
      if (p[i] > 0) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key(a) < key(b); });
    std::vector<double> kept(vocab, 0.0);
    double sum = 0;
    for (size_t i = 0; i < order.size() && i < limit && sum < mass; ++i) {
      kept[order[i]] = p[order[i]];
      sum += p[order[i]];
    }
    p = kept;
    normalise();
  };
  if (params.top_k > 0) keep([&](size_t i) { return -p[i]; }, 2.0, static_cast<size_t>(*params.top_k));
  if (params.typical_p < 1) {
    double entropy = 0;
    for (const double v : p) entropy -= v > 0 ? v * std::log(v) : 0;
    keep([&](size_t i) { return std::abs(-std::log(p[i]) - entropy); }, *params.typical_p, vocab);
  }
  if (params.top_p < 1) keep([&](size_t i) { return -p[i]; }, *params.top_p, vocab);
  if (params.min_p > 0) {
    const double threshold = *params.min_p * *std::max_element(p.begin(), p.end());
    for (double& v : p) v = v < threshold ? 0 : v;
    normalise();
  }
  if (params.xtc_probability > 0) {
    const std::vector<double> untouched = p;
    std::vector<size_t> likely;
    for (size_t i = 0; i < vocab; ++i) {
      if (p[i] >= *params.xtc_threshold) likely.push_back(i);
    }
    std::stable_sort(likely.begin(), likely.end(), [&](size_t a, size_t b) { return p[a] > p[b]; });
    for (size_t i = 0; i + 1 < likely.size(); ++i) p[likely[i]] = 0;
    normalise();
    const double often = *params.xtc_probability;
    for (size_t i = 0; i < vocab; ++i) p[i] = often * p[i] + (1 - often) * untouched[i];
  }
  return p;
}

}  // namespace caravel::sampler
