#pragma once

#include "kernels/cuda/common.cuh"
#include "kernels/cuda/tile_args.cuh"

namespace caravel::kernels::cuda {

/// A group of eight rows: the first one of the stack, or -1 where there is none, and where it is among a token's sums.
struct HeadGroup {
  int row;
  int staged;
};

/// The i-th of a warpgroup's, whose sums lie from `staged` on.
__device__ inline HeadGroup head_group(const Rows& rows, int i, int staged) {
  return {i * kGroupRows < rows.count() ? rows.row(i * kGroupRows) : -1, staged + i * kGroupRows};
}

/// What one thread makes of a tile of heads of Q, K and V: of one token two groups, which neighbour each other in the
/// tile and, of heads that are rotated in halves, have both rows of every pair (GroupOrder). The result is what
/// rotary_cache() would make of their sums once they are rounded to BF16.
class HeadGroups {
 public:
  /// Item `item` of `count` tokens' from first_token on, each of which has two of `groups` groups: at most one a
  /// thread. Asks for the token's angles and its slot. group(i): the i-th of the tile, a HeadGroup.
  template <typename Group>
  __device__ HeadGroups(const TileArgs& args, int groups, int first_token, int count, int item, const Group& group) {
    const HeadsOutput& to = args.output.heads;
    const int pairs = (groups + 1) / 2;
    token_ = item / pairs;
    if (token_ >= count) return;
    const int first = (item - token_ * pairs) * 2;
    groups_[0] = group(first);
    if (first + 1 < groups) groups_[1] = group(first + 1);
    const auto* const angles =
        reinterpret_cast<const float4*>(to.cos_sin + int64_t{first_token + token_} * to.rotary_dim);
#pragma unroll
    for (int g = 0; g < 2; ++g) {
      if (groups_[g].row < 0) continue;
      const Head head(to, groups_[g].row);
      if (!head.query) slot_ = static_cast<int>(to.slots[first_token + token_]);  // there are few enough
      if (!head.rotated) continue;
      halves_ = to.halves;
      if (halves_ && g > 0) continue;
#pragma unroll
      for (int i = 0; i < 4 - 2 * g; ++i) {
        if (!halves_ && (i > 1 || head.d + 4 * i >= to.rotary_dim)) break;
        angles_[2 * g + i] = angles[head.d / (halves_ ? 2 : 4) + i];
      }
    }
  }

  /// Which token it is; -1: none.
  __device__ int token() const { return groups_[0].row < 0 ? -1 : token_; }

  /// sums(token, staged): those of two neighbouring rows.
  template <typename Sums>
  __device__ void store(const TileArgs& args, int first_token, const Sums& sums) const {
    const GemmOutput& output = args.output;
    const HeadsOutput& to = output.heads;
    float x[2][kGroupRows];
#pragma unroll
    for (int g = 0; g < 2; ++g) {
      if (groups_[g].row < 0) continue;
#pragma unroll
      for (int i = 0; i < kGroupRows; i += 2) {
        const float2 two = sums(token_, groups_[g].staged + i);
        const int row = groups_[g].row + i;
        const float2 rounded =
            unpack_pair<BFloat16>(pack_pair<BFloat16>(output.with_bias(two.x, row), output.with_bias(two.y, row + 1)));
        x[g][i] = rounded.x;
        x[g][i + 1] = rounded.y;
      }
    }
    if (halves_) {
#pragma unroll
      for (int i = 0; i < kGroupRows; ++i) {
        const float first = x[0][i];
        x[0][i] = rotated_first(first, x[1][i], angle(i));
        x[1][i] = rotated_second(first, x[1][i], angle(i));
      }
    }
#pragma unroll
    for (int g = 0; g < 2; ++g) {
      if (groups_[g].row < 0) continue;
      const Head head(to, groups_[g].row);
      if (head.rotated && !halves_) {
#pragma unroll
        for (int i = 0; i < kGroupRows; i += 2) {
          if (head.d + i >= to.rotary_dim) continue;
          const float first = x[g][i];
          x[g][i] = rotated_first(first, x[g][i + 1], angle(4 * g + i / 2));
          x[g][i + 1] = rotated_second(first, x[g][i + 1], angle(4 * g + i / 2));
        }
      }
      if (head.query) {
        output.put_eight_by_fours(first_token + token_, groups_[g].row, x[g]);
      } else if (slot_ >= 0) {
        const KvRow kv(to.cache, to.layout, slot_, head.of_cache, head.value);
        store_kv_eight(to.cache.dtype, kv.row, head.d, x[g]);
      }
    }
  }

 private:
  /// Which head a row is of, of Q's, then K's, then V's.
  struct Head {
    int d;         // element
    int of_cache;  // which of K's or V's
    bool query;
    bool value;
    bool rotated;

    __device__ Head(const HeadsOutput& to, int row) {
      const int head = row / to.cache.head_dim;
      d = row - head * to.cache.head_dim;
      query = head < to.heads;
      value = head >= to.heads + to.cache.kv_heads;
      of_cache = head - to.heads - (value ? to.cache.kv_heads : 0);
      rotated = to.cos_sin != nullptr && !value && d < to.rotary_dim;
    }
  };

  __device__ float2 angle(int i) const {
    const float4& two = angles_[i / 2];
    return i % 2 == 0 ? make_float2(two.x, two.y) : make_float2(two.z, two.w);
  }

  HeadGroup groups_[2] = {{-1, 0}, {-1, 0}};
  int token_;  // of the tile
  int slot_ = -1;
  bool halves_ = false;  // the second group has the second rows of the first one's pairs
  float4 angles_[4];     // of pairs: of the first group's and the second's, or of halves
};

}  // namespace caravel::kernels::cuda
