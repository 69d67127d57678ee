#include "cli/windowed_score.h"

#include <algorithm>
#include <cstdint>

#include "cli/text_windows.h"

namespace caravel::cli {
namespace {

std::vector<ScoreRequest::Item> windows_of(const std::vector<int32_t>& prefix, const std::vector<int32_t>& continuation,
                                           size_t size, size_t stride) {
  std::vector<int32_t> text = prefix;
  text.insert(text.end(), continuation.begin(), continuation.end());
  const auto at = [&](size_t index) { return text.begin() + static_cast<ptrdiff_t>(index); };
  std::vector<ScoreRequest::Item> windows;
  for (const TextWindow& window : sliding_windows(text.size(), size, stride)) {
    const size_t scored = std::max(window.scored, prefix.size());
    if (scored >= window.end) continue;  // the prefix's alone
    windows.push_back({.prefix = {at(window.begin), at(scored)}, .continuations = {{at(scored), at(window.end)}}});
  }
  return windows;
}

void append(Score& whole, const Score& part) {
  whole.logprob += part.logprob;
  whole.tokens.insert(whole.tokens.end(), part.tokens.begin(), part.tokens.end());
  whole.token_logprobs.insert(whole.token_logprobs.end(), part.token_logprobs.begin(), part.token_logprobs.end());
  whole.is_greedy.insert(whole.is_greedy.end(), part.is_greedy.begin(), part.is_greedy.end());
}

}  // namespace

WindowedScore::WindowedScore(const std::vector<ScoreRequest::Item>& items, size_t size, size_t stride) {
  for (size_t i = 0; i < items.size(); ++i) {
    const std::vector<int32_t>& prefix = items[i].prefix;
    const std::vector<std::vector<int32_t>>& continuations = items[i].continuations;
    continuations_.push_back(continuations.size());
    ScoreRequest::Item whole{.prefix = prefix, .continuations = {}};
    std::vector<std::pair<size_t, size_t>> whole_origins;
    for (size_t k = 0; k < continuations.size(); ++k) {
      if (prefix.size() + continuations[k].size() <= size) {
        whole.continuations.push_back(continuations[k]);
        whole_origins.emplace_back(i, k);
        continue;
      }
      for (ScoreRequest::Item& window : windows_of(prefix, continuations[k], size, stride)) {
        items_.push_back(std::move(window));
        origins_.push_back({{i, k}});
      }
    }
    if (whole.continuations.empty()) continue;
    items_.push_back(std::move(whole));
    origins_.push_back(std::move(whole_origins));
  }
}

std::vector<std::vector<Score>> WindowedScore::join(const std::vector<std::vector<Score>>& scores) const {
  std::vector<std::vector<Score>> joined;
  for (const size_t count : continuations_) joined.emplace_back(count);
  for (size_t i = 0; i < origins_.size(); ++i) {
    for (size_t k = 0; k < origins_[i].size(); ++k) {
      const auto [item, continuation] = origins_[i][k];
      append(joined[item][continuation], scores.at(i).at(k));
    }
  }
  return joined;
}

}  // namespace caravel::cli
