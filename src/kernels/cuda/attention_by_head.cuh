#pragma once

#include "kernels/cuda/attention_kernels.cuh"
#include "kernels/cuda/attention_latent.cuh"
#include "kernels/cuda/attention_mma_tile.cuh"
#include "kernels/cuda/attention_wide_tiles.cuh"

namespace caravel::kernels::cuda {

template <typename Elements, int kDim>
void attend_heads(Stream& stream, const AttentionParams& params, const AttentionGrids& grids) {
  launch_few_rows<AttentionMmaTile<Elements, kDim>, kDim>(stream, params, grids);
  // Beyond that two sets of sums, of a split and of those before, take more registers than a warpgroup has.
  if constexpr (kDim <= 128) {
    if (grids.warpgroups) return launch_wide_tiles<Elements, kDim>(stream, params, grids.many_rows, grids.num_sms);
  }
  launch_many_rows<AttentionMmaTile<Elements, kDim>>(stream, params, grids);
}

/// By the head's size.
template <typename Elements>
void launch_for_head(Stream& stream, const AttentionParams& params, const AttentionGrids& grids) {
  if (params.cache.value_dim > 0) return launch_latents<Elements>(stream, params, grids);
  constexpr int kLeast = 128 / Elements::kBytes;  // a row of which is 128 bytes
  if (params.cache.head_dim <= 64) {
    attend_heads<Elements, kLeast>(stream, params, grids);
  } else if (params.cache.head_dim <= 128) {
    attend_heads<Elements, 128>(stream, params, grids);
  } else {
    attend_heads<Elements, 256>(stream, params, grids);
  }
}

}  // namespace caravel::kernels::cuda
