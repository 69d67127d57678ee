#include "kernels/ref/gemm.h"

namespace caravel::kernels::ref {

std::vector<double> gemm(const std::vector<float>& weight, const std::vector<float>& input, int64_t in,
                         const float* bias) {
  const auto out = static_cast<int64_t>(weight.size()) / in;
  const auto tokens = static_cast<int64_t>(input.size()) / in;
  std::vector<double> result(static_cast<size_t>(tokens * out));
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t o = 0; o < out; ++o) {
      const float* w = weight.data() + o * in;
      const float* x = input.data() + t * in;
      double sum = bias != nullptr ? bias[o] : 0.0;
      for (int64_t i = 0; i < in; ++i) sum += static_cast<double>(w[i]) * x[i];
      result[static_cast<size_t>(t * out + o)] = sum;
    }
  }
  return result;
}

}  // namespace caravel::kernels::ref
