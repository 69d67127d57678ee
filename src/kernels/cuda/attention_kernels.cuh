#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/host_device.h"
#include "device/cuda/check_cuda.h"
#include "device/cuda/cuda_device.h"
#include "kernels/cuda/attention_many_rows.cuh"
#include "kernels/cuda/attention_neighbours.cuh"

namespace caravel::kernels::cuda {

/// What the kernels of one type of tile are launched as.
struct AttentionGrids {
  int most_sharers = 1;   // blocks that may share a sequence of few rows
  bool few = false;       // there may be such sequences
  int64_t many_rows = 0;  // a bound of the rows of all others; 0: there are none
  int num_sms = 0;
  bool warpgroups = false;
  float* states = nullptr;  // room for kStateRoom states of shared rows, where values are elements of keys
};

/// Rows of a block where values are elements of keys; and what its state of a split takes.
inline constexpr int kLatentRows = 64;
CARAVEL_HOST_DEVICE constexpr int64_t state_floats(int value_dim) { return int64_t{kLatentRows} * (value_dim + 2); }
inline constexpr int64_t kStateRoom = 384;

/// By the blocks of a cluster: how many clusters of a kernel run at the same time.
using ActiveClusters = std::array<int, kMaxSharers + 1>;

template <typename Params>
ActiveClusters count_clusters(CudaDevice& device, void (*kernel)(Params), int threads, size_t shared_bytes) {
  device.allow_shared_bytes(reinterpret_cast<const void*>(kernel), shared_bytes);
  check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1),
             "allowing large clusters");
  ActiveClusters active{};
  for (unsigned size = 2; size < active.size(); ++size) {
    cudaLaunchAttribute cluster{};
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim = {size, 1, 1};
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(size);
    config.blockDim = dim3(static_cast<unsigned>(threads));
    config.dynamicSmemBytes = shared_bytes;
    config.attrs = &cluster;
    config.numAttrs = 1;
    // A size that the device does not have is none.
    if (cudaOccupancyMaxActiveClusters(&active[size], kernel, &config) != cudaSuccess) {
      active[size] = 0;
      static_cast<void>(cudaGetLastError());
    }
  }
  return active;
}

/// Sequences of few rows, where each would have one block to itself and neighbours have something in common.
template <typename Tile, int kDim>
void launch_neighbours(Stream& stream, const AttentionParams& params) {
  const auto bytes = [](int dim) {
    return Tile::shared_bytes(dim) + SharedRows<Tile, kDim>::kBytes + NeighbourJobs::kBytes;
  };
  static const ActiveClusters active =
      count_clusters(as_cuda(stream.device()), attend_neighbours<Tile, kDim>, Tile::kThreads, bytes(kDim));
  const int groups = (params.batch.num_seqs + params.neighbours - 1) / params.neighbours;
  int blocks = 1;
  for (int size = 2; size <= params.neighbours; size *= 2) {
    if (active[static_cast<size_t>(size)] >= params.cache.kv_heads * groups) blocks = size;
  }
  const LaunchShape shape{.grid = dim3(static_cast<unsigned>(blocks), static_cast<unsigned>(params.cache.kv_heads),
                                       static_cast<unsigned>(groups)),
                          .block = dim3(Tile::kThreads),
                          .shared_bytes = bytes(params.cache.head_dim),
                          .cluster = dim3(static_cast<unsigned>(blocks)),
                          .early = true};
  launch(stream, shape, attend_neighbours<Tile, kDim>, params);
}

template <typename Tile, int kDim>
void launch_few_rows(Stream& stream, const AttentionParams& params, const AttentionGrids& grids) {
  if (!grids.few) return;
  const int head_dim = params.cache.head_dim;
  LaunchShape shape{.block = dim3(Tile::kThreads), .shared_bytes = Tile::shared_bytes(head_dim), .early = true};
  // As many blocks share a sequence as let all of them run at once: a second turn would take as long as the first.
  int sharers = 1;
  if (grids.most_sharers > 1) {
    const auto bytes = [](int dim) { return Tile::shared_bytes(dim) + SharedRows<Tile, kDim>::kBytes; };
    static const ActiveClusters active =
        count_clusters(as_cuda(stream.device()), attend_few_rows<Tile, kDim>, Tile::kThreads, bytes(kDim));
    const int pairs = params.cache.kv_heads * params.batch.num_seqs;
    for (int size = 2; size <= std::min(grids.most_sharers, kMaxSharers); ++size) {
      if (active[static_cast<size_t>(size)] >= pairs) sharers = size;
    }
    if (sharers > 1) shape.shared_bytes = bytes(head_dim);
  }
  if constexpr (Tile::kTakesTotals) {
    if (sharers == 1 && params.neighbours > 1) return launch_neighbours<Tile, kDim>(stream, params);
  }
  shape.grid = dim3(static_cast<unsigned>(sharers), static_cast<unsigned>(params.cache.kv_heads),
                    static_cast<unsigned>(params.batch.num_seqs));
  shape.cluster = dim3(static_cast<unsigned>(sharers));
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
