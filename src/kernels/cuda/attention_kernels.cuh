#pragma once

#include <algorithm>
#include <cstdint>

#include "device/cuda/check_cuda.h"
#include "kernels/cuda/attention_many_rows.cuh"

namespace caravel::kernels::cuda {

/// What the kernels of one type of tile are launched as.
struct AttentionGrids {
  int sharers = 1;        // blocks that share a sequence of few rows: a power of two
  bool few = false;       // there may be such sequences
  int64_t many_rows = 0;  // a bound of the rows of all others; 0: there are none
  int num_sms = 0;
  bool warpgroups = false;
};

/// A kernel's clusters may have up to sixteen blocks where the device has room for one such.
template <typename Params>
int most_sharers(void (*kernel)(Params), int threads, size_t shared_bytes) {
  check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1),
             "allowing large clusters");
  check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)),
             "raising a kernel's shared memory");
  cudaLaunchAttribute cluster{};
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim = {kMaxSharers, 1, 1};
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(kMaxSharers);
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = shared_bytes;
  config.attrs = &cluster;
  config.numAttrs = 1;
  int clusters = 0;
  check_cuda(cudaOccupancyMaxActiveClusters(&clusters, kernel, &config), "counting clusters");
  return clusters > 0 ? kMaxSharers : kMaxSharers / 2;
}

template <typename Tile, int kDim>
void launch_few_rows(Stream& stream, AttentionParams params, const AttentionGrids& grids) {
  if (!grids.few) return;
  const int head_dim = params.cache.head_dim;
  LaunchShape shape{.block = dim3(Tile::kThreads), .shared_bytes = Tile::shared_bytes(head_dim), .early = true};
  unsigned sharers = 1;
  if (grids.sharers > 1) {
    params.state_rows = Tile::kStateRows;
    const auto bytes = [](int dim) {
      return Tile::shared_bytes(dim) + static_cast<size_t>(Tile::kStateRows * (dim + 2)) * sizeof(float);
    };
    shape.shared_bytes = bytes(head_dim);
    static const int most = most_sharers(attend_few_rows<Tile, kDim>, Tile::kThreads, bytes(kDim));
    sharers = static_cast<unsigned>(std::min(grids.sharers, most));
  }
  shape.grid =
      dim3(sharers, static_cast<unsigned>(params.cache.kv_heads), static_cast<unsigned>(params.batch.num_seqs));
  shape.cluster = dim3(sharers);
  launch(stream, shape, attend_few_rows<Tile, kDim>, params);
}

template <typename Tile>
void launch_many_rows(Stream& stream, const AttentionParams& params, const AttentionGrids& grids) {
  if (grids.many_rows == 0) return;
  const int64_t tiles = grids.many_rows / Tile::kRows + params.batch.num_seqs;
  launch_early(stream, attend_many_rows<Tile>,
               dim3(static_cast<unsigned>(tiles), static_cast<unsigned>(params.cache.kv_heads)), dim3(Tile::kThreads),
               Tile::shared_bytes(params.cache.head_dim), params);
}

// By the type of keys and values; each in a source of its own.
void attend_f16(Stream& stream, const AttentionParams& params, const AttentionGrids& grids);
void attend_bf16(Stream& stream, const AttentionParams& params, const AttentionGrids& grids);
void attend_int8(Stream& stream, const AttentionParams& params, const AttentionGrids& grids);
void attend_fp8(Stream& stream, const AttentionParams& params, const AttentionGrids& grids);
void attend_exactly(Stream& stream, const AttentionParams& params, const AttentionGrids& grids);

}  // namespace caravel::kernels::cuda
