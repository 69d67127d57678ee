#include "model/pooling.h"

#include <algorithm>

#include "base/check.h"

namespace caravel::model {
namespace {

std::vector<float> mean_of(const float* states, int64_t tokens, int64_t width) {
  std::vector<double> sums(static_cast<size_t>(width));
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t i = 0; i < width; ++i) sums[static_cast<size_t>(i)] += states[t * width + i];
  }
  std::vector<float> mean;
  mean.reserve(sums.size());
  for (const double sum : sums) mean.push_back(static_cast<float>(sum / static_cast<double>(tokens)));
  return mean;
}

std::vector<float> largest_of(const float* states, int64_t tokens, int64_t width) {
  std::vector<float> largest(states, states + width);
  for (int64_t t = 1; t < tokens; ++t) {
    for (int64_t i = 0; i < width; ++i) {
      float& value = largest[static_cast<size_t>(i)];
      value = std::max(value, states[t * width + i]);
    }
  }
  return largest;
}

}  // namespace

std::vector<float> pool(Pooling pooling, const float* states, int64_t tokens, int64_t width) {
  CARAVEL_CHECK_GE(tokens, 1);
  switch (pooling) {
    case Pooling::kMean:
      return mean_of(states, tokens, width);
    case Pooling::kCls:
      break;
    case Pooling::kMax:
      return largest_of(states, tokens, width);
  }
  return {states, states + width};
}

}  // namespace caravel::model
