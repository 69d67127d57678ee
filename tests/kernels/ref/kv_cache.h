#pragma once

#include "kernels/kv_cache.h"

namespace caravel::kernels::ref {

/// The contracts of kernels/kv_cache.h in double precision, on host memory; the tests' oracle.

/// cos_sin: [tokens, rotary_dim / 2, 2].
void rotary_angles(const int32_t* positions, const float* inverse_freq, double magnitude, int64_t tokens,
                   int rotary_dim, double* cos_sin);

/// One head of one token, in place: RMS norm by `norm` [head_dim] if given, then rotation by `cos_sin`
/// [rotary_dim / 2, 2] if given.
void prepare_head(double* head, int head_dim, const float* norm, double epsilon, const float* cos_sin, int rotary_dim,
                  RotaryStyle style);

/// What storing a head's key or value as `dtype` leaves of finite x [count], in place.
void round_to(KvDtype dtype, double* x, int count);

}  // namespace caravel::kernels::ref
