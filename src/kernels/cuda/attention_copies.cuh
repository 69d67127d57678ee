#pragma once

#include <cstdint>

#include "kernels/cuda/attention_params.cuh"
#include "kernels/cuda/kv_elements.cuh"
#include "kernels/cuda/warp_mma.cuh"

namespace caravel::kernels::cuda {

/// Where chunk `chunk` (16 bytes) of row `row` lies in a matrix of `rows` rows: in images of 128 bytes of each row,
/// eight rows of which have a chunk in different banks, as matrix_descriptor() has them.
__device__ __forceinline__ int chunk_at(int rows, int row, int chunk) {
  return chunk / 8 * (rows * 128) + row * 128 + ((chunk ^ row) % 8) * 16;
}

/// A matrix' images, each behind the one before; or in turns of eight rows, so that some rows lie together.
template <bool kInTurns, int kRows, int kRowBytes>
struct Images {
  static constexpr int kWidth = kRowBytes < 128 ? 128 : kRowBytes;
  static constexpr int kBytes = kRows * kWidth;
  static constexpr int kApart = kInTurns ? 1024 : kRows * 128;       // from an image to the next
  static constexpr int kGroupStride = kInTurns ? 8 * kWidth : 1024;  // from eight rows to the next

  __device__ __forceinline__ static int chunk_at(int row, int chunk) {
    if constexpr (!kInTurns) return cuda::chunk_at(kRows, row, chunk);
    return row / 8 * kGroupStride + chunk / 8 * kApart + cuda::chunk_at(8, row % 8, chunk % 8);
  }
};

/// Reads the keys and values of splits by kThreads threads (128 or 256) that each take 16 bytes at a time, a row's
/// beside each other. kDim elements a row, of which what head_dim has less is left alone.
template <typename Elements, int kDim, int kThreads, bool kInTurns = false>
class SplitCopies {
 public:
  static constexpr int kRowBytes = kDim * Elements::kBytes;
  using Stored = Images<kInTurns, kSplitKeys, kRowBytes>;
  using Widened = Images<kInTurns, kSplitKeys, 2 * kDim>;
  static constexpr int kImageBytes = Stored::kBytes;  // of a split's keys, or values
  static constexpr int kScaleBytes = Elements::kScaled ? 2 * kSplitKeys * static_cast<int>(sizeof(float)) : 0;

  __device__ SplitCopies(const AttentionParams& params, int thread)
      : params_(params),
        lane_(thread % kWarp),
        chunk_(lane_ % kRowLanes),
        first_row_(thread / kWarp * kWarpRows + lane_ / kRowLanes),
        mine_(lane_ / kWarpRows * kPassRows + thread / kWarp * kWarpRows + lane_ % kWarpRows) {}

  /// Asks for where a split lies, of which what is in `seen` is to be copied; all else becomes zeros. enter() makes the
  /// copies that follow be of it.
  __device__ void look_up(const AttentionRows& rows, const Visible& seen, int split) {
    const int position = split * kSplitKeys + mine_;
    coming_ = mine_ < kSplitKeys && position >= seen.begin && position < seen.end;
    if (!coming_) return;
    const BlockPlace place = place_of(params_, position);
    block_ = rows.sequence.table[place.block];
    offset_ = place.offset;
  }

  __device__ void enter(int kv_head) {
    there_ = __ballot_sync(kAllLanes, coming_);
    row_ = params_.cache.base;
    if (!coming_) return;
    const std::byte* const part = head_part(params_, block_, kv_head);
    row_ = part + offset_ * params_.layout.row_bytes;
    if constexpr (Elements::kScaled) scale_ = part + params_.layout.scales + offset_ * sizeof(float);
  }

  /// Copies keys, or values, as they are stored.
  __device__ void copy(std::byte* to, bool values) const {
    constexpr int kAtOnce = 4;
    std::byte* const place = to + Stored::chunk_at(first_row_, chunk_);
    for_each_pass<kAtOnce>(values, [&](int pass, const std::byte* const(&from)[kAtOnce], const bool(&there)[kAtOnce]) {
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) copy_16_async(place + to_pass<Stored>(pass + i), from[i], there[i] ? 16 : 0);
    });
  }

  /// The same, widened to kDim products a row.
  __device__ void widen(std::byte* to, bool values) const {
    constexpr int kAtOnce = 2;
    std::byte* const place[] = {to + Widened::chunk_at(first_row_, 2 * chunk_),
                                to + Widened::chunk_at(first_row_, 2 * chunk_ + 1)};
    for_each_pass<kAtOnce>(values, [&](int pass, const std::byte* const(&from)[kAtOnce], const bool(&there)[kAtOnce]) {
      uint4 stored[kAtOnce];
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        stored[i] = there[i] ? *reinterpret_cast<const uint4*>(from[i]) : make_uint4(0, 0, 0, 0);
      }
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        uint4 pairs;
        Elements::widen(stored[i].x, pairs.x, pairs.y);
        Elements::widen(stored[i].y, pairs.z, pairs.w);
        *reinterpret_cast<uint4*>(place[0] + to_pass<Widened>(pass + i)) = pairs;
        Elements::widen(stored[i].z, pairs.x, pairs.y);
        Elements::widen(stored[i].w, pairs.z, pairs.w);
        *reinterpret_cast<uint4*>(place[1] + to_pass<Widened>(pass + i)) = pairs;
      }
    });
  }

  /// to [2, kSplitKeys]: of keys, of values.
  __device__ void copy_scales(float* to) const {
    if (mine_ >= kSplitKeys) return;
    const bool there = (there_ >> lane_ & 1U) != 0;
    const std::byte* const from = there ? scale_ : params_.cache.base;
    copy_4_async(to + mine_, from, there ? 4 : 0);
    copy_4_async(to + kSplitKeys + mine_, from + (there ? params_.cache.block_size * sizeof(float) : 0), there ? 4 : 0);
  }

 private:
  static constexpr int kRowLanes = kRowBytes / 16;
  static constexpr int kWarpRows = kWarp / kRowLanes;  // that a warp copies at a time
  static constexpr int kPassRows = kThreads / kRowLanes;
  static constexpr int kPasses = kSplitKeys / kPassRows;
  static_assert(kPassRows <= kSplitKeys && kPassRows % 8 == 0);

  /// Bytes from a row of the first pass to that of another: whole groups of eight rows.
  template <typename Images>
  __device__ static int to_pass(int pass) {
    return pass * (kPassRows / 8) * Images::kGroupStride;
  }

  /// function(pass, from, there) for kAtOnce passes from `pass` on: where the thread's chunk lies, if it is there.
  template <int kAtOnce, typename Function>
  __device__ void for_each_pass(bool values, Function function) const {
    const bool used = chunk_ < params_.layout.row_bytes / 16;
    const int64_t begin = (values ? params_.layout.values : 0) + 16 * chunk_;
    const unsigned there = there_ >> (lane_ / kRowLanes);
#pragma unroll 1
    for (int pass = 0; pass < kPasses; pass += kAtOnce) {
      const std::byte* from[kAtOnce];
      bool is_there[kAtOnce];
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        const int at = (pass + i) * kWarpRows;
        const uint64_t row = __shfl_sync(kAllLanes, reinterpret_cast<uint64_t>(row_), at + lane_ / kRowLanes);
        from[i] = reinterpret_cast<const std::byte*>(row) + begin;
        is_there[i] = (there >> at & 1U) != 0;
      }
      if (used) function(pass, from, is_there);
    }
  }

  const AttentionParams& params_;
  const int lane_;
  const int chunk_;
  const int first_row_;
  const int mine_;  // the row that this thread looks up for its warp
  // Of the split that was looked up.
  bool coming_ = false;
  int block_ = 0;
  int offset_ = 0;
  // Of the one that is copied.
  const std::byte* row_ = nullptr;
  unsigned there_ = 0;                // a bit for the row of each lane: whether it is seen
  const std::byte* scale_ = nullptr;  // of its key
};

}  // namespace caravel::kernels::cuda
