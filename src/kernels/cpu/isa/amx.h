#pragma once

// Included by the per-ISA sources that have AMX alone: its eight tiles, each up to 16 rows of 64 bytes. (The compilers'
// intrinsics leave out that a load reads memory, so the instructions stand here.)

#include <cstdint>

namespace caravel::kernels::CARAVEL_ISA {

/// What LDTILECFG reads (Intel SDM, volume 1, 18.2): palette 1.
struct alignas(64) TileShapes {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};

  void set(int tile, int tile_rows, int bytes) {
    rows[tile] = static_cast<uint8_t>(tile_rows);
    row_bytes[tile] = static_cast<uint16_t>(bytes);
  }
  /// From here on this thread's tiles have these shapes; their contents are zero.
  void use() const { asm volatile("ldtilecfg %0" : : "m"(*this)); }
};

/// Hands the tiles back: threads that hold some cost more to switch, and cores that do sleep less deeply.
static inline void release_tiles() { asm volatile("tilerelease"); }

template <int kTile>
static inline void zero_tile() {
  asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
}

/// Rows from `from` on, `stride` bytes apart.
template <int kTile>
static inline void load_tile(const void* from, int64_t stride) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(kTile) : "memory");
}

/// Into rows of 64 bytes, as many as the tile has.
template <int kTile, int kRows>
static inline void store_tile(int32_t (&to)[kRows][16]) {
  asm volatile("tilestored %%tmm%c1, (%2,%3,1)" : "=m"(to) : "i"(kTile), "r"(&to), "r"(int64_t{64}));
}

/// kOut += kA * kB in i32: a row of kA has i8 inputs, a row of kB four inputs of each of 16 columns.
template <int kOut, int kA, int kB>
static inline void multiply_tiles_i8() {
  asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kOut), "i"(kA), "i"(kB));
}

}  // namespace caravel::kernels::CARAVEL_ISA
