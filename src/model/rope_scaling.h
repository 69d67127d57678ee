#pragma once

#include <optional>
#include <span>
#include <vector>

namespace caravel::model {

/// Frequencies theta^(-2i/dim), [dim / 2] (Su et al. 2021).
std::vector<double> rope_frequencies(double theta, int dim);

/// Llama 3.1: wavelengths beyond the original context are stretched by `factor`, short ones stay, those between blend.
struct Llama3Scaling {
  double factor = 1;
  double low_freq_factor = 1;
  double high_freq_factor = 1;
  double original_context = 0;  // tokens
};
void scale_llama3(std::span<double> frequencies, const Llama3Scaling& scaling);

/// YaRN (Peng et al. 2023, section 3): frequencies that turn often within the original context stay, those that turn
/// seldom are divided by `factor`, those between blend.
struct YarnScaling {
  double factor = 1;
  double original_context = 0;  // tokens
  double beta_fast = 32;        // turns within it from which on a frequency stays
  double beta_slow = 1;         // turns up to which it is divided
  bool truncate = true;         // the blend's ends are whole frequencies
  double extrapolation = 1;     // llama.cpp's ext_factor: 0 divides all
};
void scale_yarn(std::span<double> frequencies, double theta, const YarnScaling& scaling);

/// What YaRN multiplies cos and sin by for a factor: 1 + 0.1 * scale * ln(factor), and 1 up to a factor of 1.
double yarn_magnitude(double factor, double scale = 1);

/// What LongRoPE (Ding et al. 2024, as Phi-3 has it) multiplies cos and sin by: sqrt(1 + ln(factor) / ln(original
/// context)), and 1 up to a factor of 1.
double longrope_magnitude(double factor, double original_context);

}  // namespace caravel::model
