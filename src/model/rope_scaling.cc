#include "model/rope_scaling.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace caravel::model {

std::vector<double> rope_frequencies(double theta, int dim) {
  std::vector<double> frequencies(static_cast<size_t>(dim / 2));
  for (size_t i = 0; i < frequencies.size(); ++i) {
    frequencies[i] = std::pow(theta, -2.0 * static_cast<double>(i) / dim);
  }
  return frequencies;
}

void scale_llama3(std::span<double> frequencies, const Llama3Scaling& scaling) {
  const double low = scaling.low_freq_factor;
  const double high = scaling.high_freq_factor;
  for (double& frequency : frequencies) {
    const double turns = scaling.original_context * frequency / (2 * std::numbers::pi);  // within the original context
    if (turns < low) {
      frequency /= scaling.factor;
    } else if (turns < high) {
      const double smooth = (turns - low) / (high - low);
      frequency = (1 - smooth) * frequency / scaling.factor + smooth * frequency;
    }
  }
}

void scale_yarn(std::span<double> frequencies, double theta, const YarnScaling& scaling) {
  const auto dim = static_cast<double>(frequencies.size() * 2);
  // Which frequency, as a real number, turns so often within the original context.
  const auto frequency_turning = [&](double turns) {
    return dim * std::log(scaling.original_context / (turns * 2 * std::numbers::pi)) / (2 * std::log(theta));
  };
  double low = frequency_turning(scaling.beta_fast);
  double high = frequency_turning(scaling.beta_slow);
  if (scaling.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, dim - 1);
  if (low == high) high += 0.001;  // as transformers and llama.cpp keep the blend from dividing by 0
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    const double keep = (1 - ramp) * scaling.extrapolation;
    frequencies[i] = frequencies[i] / scaling.factor * (1 - keep) + frequencies[i] * keep;
  }
}

double yarn_magnitude(double factor, double scale) { return factor <= 1 ? 1.0 : 1 + 0.1 * scale * std::log(factor); }

double longrope_magnitude(double factor, double original_context) {
  return factor <= 1 ? 1.0 : std::sqrt(1 + std::log(factor) / std::log(original_context));
}

}  // namespace caravel::model
