#pragma once

// The vocabulary that the GEMM kernels are written in: half a panel's 16 output rows at a time, whatever the width of a
// register. Each ISA defines
//   Bytes    u8 [16 rows][4 inputs]: levels of a weight
//   Quad     i8 [4 inputs] of a token, for all rows
//   Dots     i32 [16], growing sums of products of the two
//   Ints     i32 [16]
//   Floats   f32 [16]
// and the functions on them that tile_portable.h spells out in plain C++.

#if defined(__AVX512VNNI__)
#include "kernels/cpu/isa/tile_avx512vnni.h"
#elif defined(__AVX2__)
#include "kernels/cpu/isa/tile_avx2.h"
#else
#include "kernels/cpu/isa/tile_portable.h"
#endif
