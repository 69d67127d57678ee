#pragma once

#include <cstdint>

namespace caravel::kernels::ref {

/// The contracts of kernels/logits.h in double precision, one row of host memory at a time; the tests' oracle.
double soft_cap(double logit, double cap);
double log_sum_exp(const float* logits, int64_t width);
int32_t argmax(const float* logits, int64_t width);

/// By sorting the whole row.
void top_k(const float* logits, int64_t width, int k, float* values, int32_t* indices);
int32_t token_rank(const float* logits, int64_t width, int32_t token);

}  // namespace caravel::kernels::ref
