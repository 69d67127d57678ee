#pragma once

#include <cstdint>
#include <span>

namespace caravel::cli {

/// The perplexity of the tokens whose log-probabilities it was given: e to the mean of their negatives.
class Perplexity {
 public:
  /// logprobs: natural logarithms.
  void add(std::span<const float> logprobs);

  int64_t tokens() const { return tokens_; }
  /// In nats a token. NaN without tokens, as the next two.
  double mean_nll() const;
  double value() const;
  /// Of value(), as llama-perplexity gives it: by the spread of single tokens, taken as independent of each other. NaN
  /// where there is one token alone.
  double standard_error() const;

 private:
  int64_t tokens_ = 0;
  double sum_ = 0;
  double squares_ = 0;
};

}  // namespace caravel::cli
