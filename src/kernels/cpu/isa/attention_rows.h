#pragma once

// Included by the per-ISA sources alone.

#include <type_traits>

#include "kernels/cpu/isa/attention_tile.h"
#include "kernels/cpu/isa/attention_walk.h"
#include "kernels/cpu/kv_head_layout.h"

namespace caravel::kernels::CARAVEL_ISA {

constexpr int kTileRows = 48;  // query rows that share a pass over the keys
constexpr int kStageRows = 8;  // beyond these, keys and values are widened to f32 once per tile, not once per row block

static inline int64_t table_row(const AttentionBatch& batch, int64_t sequence) {
  return batch.table_rows == nullptr ? sequence : batch.table_rows[sequence];
}

/// Up to kTileRows query rows of one KV head, on one rank's stack. They belong to one sequence, or to several on
/// a split that all of these see whole, in the same blocks. kShared: values are the first elements of the keys, whose
/// rows are widened to f32 once per tile: one row of them serves both.
template <typename T, bool kShared = false>
class RowTile {
 public:
  /// Rows row_begin .. row_end-1 of `count` sequences, one's after the other's.
  RowTile(const PagedAttentionArgs& args, const Sequence* sequences, int count, int kv_head, int64_t row_begin,
          int64_t row_end, int64_t split)
      : args_(args),
        table_(args.batch.block_table + table_row(args.batch, sequences[0].index) * args.batch.block_table_stride),
        layout_(kv_head_layout(args.cache.block_size, args.cache.head_dim, args.cache.dtype)),
        shared_(shared_row_layout(args.cache.block_size, args.cache.head_dim, args.cache.dtype)),
        head_dim_(args.cache.head_dim),
        value_dim_(value_elements(args.cache)),
        width_((value_dim_ + kLanes - 1) / kLanes * kLanes),
        q_stride_(kShared ? shared_.stride : head_dim_),
        kv_head_(kv_head),
        rows_(static_cast<int>(row_end - row_begin)),
        staged_(kShared || layout_.group != kKeyGroup || (rows_ > kStageRows && sizeof(T) < sizeof(float))) {
    const int group_heads = args.heads / args.cache.kv_heads;
    const Sequence* sequence = sequences;
    int64_t first_row = 0;  // where the sequence's rows begin
    for (int r = 0; r < rows_; ++r) {
      while (row_begin + r - first_row >= sequence->queries * group_heads) {
        first_row += sequence->queries * group_heads;
        ++sequence;
      }
      const int64_t row = row_begin + r - first_row;
      sequence_[r] = sequence;
      query_[r] = row / group_heads;
      head_[r] = kv_head * group_heads + static_cast<int>(row % group_heads);
      visible_[r] = count > 1 ? Visible{split * kSplitKeys, (split + 1) * kSplitKeys}
                              : visible_keys(args, sequence->first_position + query_[r]);
      context_[r] = count > 1 ? visible_[r].end : sequence->first_position + query_[r] + 1;
      const float* q = static_cast<const float*>(args.q.data) + (sequence->first_token + query_[r]) * args.q.stride +
                       static_cast<int64_t>(head_[r]) * head_dim_;
      float* const own = q_ + r * q_stride_;
      for (int d = 0; d < head_dim_; ++d) own[d] = q[d] * args.scale;
      for (int d = head_dim_; d < q_stride_; ++d) own[d] = 0.0F;
    }
  }

  /// All keys, split after split, merged in order; writes the rows' output.
  void attend() {
    alignas(64) float totals[kTileRows * kMostDim];
    SoftmaxState total[kTileRows];
    for (int r = 0; r < rows_; ++r) total[r] = empty_state(totals + r * value_dim_, value_dim_);
    for (int64_t split = visible_[0].begin / kSplitKeys; split * kSplitKeys < visible_[rows_ - 1].end; ++split) {
      attend_split(split);
      for (int r = 0; r < rows_; ++r) {
        if (sees(r, split)) merge_state(total[r], partial(r), value_dim_);
      }
    }
    for (int r = 0; r < rows_; ++r) {
      finish_row(total[r], sink_of(args_, head_[r]), value_dim_,
                 output_rows(args_) + (sequence_[r]->first_token + query_[r]) * args_.out.width +
                     static_cast<int64_t>(head_[r]) * value_dim_);
    }
  }

  /// The keys of one split alone; leaves the states in the workspace.
  void attend_apart(int64_t split) {
    attend_split(split);
    for (int r = 0; r < rows_; ++r) {
      if (!sees(r, split)) continue;
      const SoftmaxState state = partial(r);
      float* to = state_of(args_, *sequence_[r], query_[r], split, head_[r]);
      std::memcpy(to, state.values, sizeof(float) * static_cast<size_t>(value_dim_));
      to[value_dim_] = state.max;
      to[value_dim_ + 1] = state.sum;
    }
  }

  static SoftmaxState empty_state(float* values, int value_dim) {
    std::memset(values, 0, sizeof(float) * static_cast<size_t>(value_dim));
    return {values, -__builtin_inff(), 0.0F};
  }

  /// A sink is one more key, whose value is zero, behind all others; none: minus infinity.
  static float sink_of(const PagedAttentionArgs& args, int head) {
    return args.sinks == nullptr ? -__builtin_inff() : args.sinks[head];
  }

  static void finish_row(const SoftmaxState& state, float sink, int value_dim, float* out) {
    float factor = 1.0F / state.sum;
    if (sink != -__builtin_inff()) {
      const float max = state.max > sink ? state.max : sink;
      const float keep = exp_one(state.max - max);
      factor = keep / (state.sum * keep + exp_one(sink - max));
    }
    for (int d = 0; d < value_dim; ++d) out[d] = state.values[d] * factor;
  }

 private:
  static constexpr bool kScaled = std::is_same_v<T, I8>;
  static constexpr int kMostDim = kShared ? kMaxSharedDim : kMaxHeadDim;

  bool sees(int row, int64_t split) const {
    return visible_[row].begin < (split + 1) * kSplitKeys && visible_[row].end > split * kSplitKeys;
  }

  SoftmaxState partial(int row) { return {values_ + row * width_, max_[row], reduce_add(load(sums_[row]))}; }

  const std::byte* head_part(int64_t position) const {
    const KvLayer& cache = args_.cache;
    const int64_t block = table_[position / cache.block_size];
    return cache.base + block * cache.block_stride + kv_head_ * (kShared ? shared_.head_bytes : layout_.head_bytes);
  }

  void attend_split(int64_t split) {
    for (int r = 0; r < rows_; ++r) {
      max_[r] = -__builtin_inff();
      store(sums_[r], zero());
    }
    std::memset(values_, 0, sizeof(float) * static_cast<size_t>(rows_ * width_));
    int64_t begin = split * kSplitKeys;
    int64_t end = begin + kSplitKeys;
    if (begin < visible_[0].begin) begin = visible_[0].begin / kTileKeys * kTileKeys;
    if (end > visible_[rows_ - 1].end) end = visible_[rows_ - 1].end;
    for (int64_t tile = begin; tile < end; tile += kTileKeys) attend_tile(tile);
  }

  /// Keys tile .. tile + kTileKeys - 1. A row that sees none of them is left alone, as if the tile had not been there.
  void attend_tile(int64_t tile) {
    // Both ends of what a row sees grow with the row, so the rows that see something are a range, and the first and the
    // last of them bound what may be read.
    int first = 0;
    while (visible_[first].end <= tile) ++first;
    int last = rows_;
    while (visible_[last - 1].begin >= tile + kTileKeys) --last;
    if (first >= last) return;
    const Visible readable = clip({visible_[first].begin, visible_[last - 1].end}, tile);

    end_ = context_[last - 1];
    if constexpr (kShared) {
      prefetch_shared(tile + kTileKeys, end_);
      stage_shared(tile, readable);
      for_row_blocks(first, last, [&]<int kRows>(int row) {
        score_key_rows<kRows>(q_ + row * q_stride_, q_stride_, staged_values_, shared_.stride, shared_.stride,
                              scores_ + row * kTileKeys);
      });
    } else if (staged_) {
      prefetch(tile + kTileKeys, end_);
      stage_keys(tile, readable);
      stage_values(tile, readable);
      const float* const groups[2] = {staged_keys_, staged_keys_ + kKeyGroup * head_dim_};
      score(groups, groups, first, last);
    } else {
      // A group outside what may be read lends its place to the other; its scores are masked.
      const int64_t middle = tile + kKeyGroup;
      const T* const low = readable.begin < middle ? key_group(tile) : key_group(middle);
      const T* const high = readable.end > middle ? key_group(middle) : low;
      const T* const groups[2] = {low, high};
      const T* const next[2] = {tile + kTileKeys < end_ ? key_group(tile + kTileKeys) : low,
                                middle + kTileKeys < end_ ? key_group(middle + kTileKeys) : high};
      score(groups, next, first, last);
    }
    if constexpr (kScaled && !kShared) {
      stage_scales(tile, readable);
      for (int r = first; r < last; ++r) multiply_tile(scores_ + r * kTileKeys, key_scales_);
    }
    weigh_tile(tile, first, last);
    if constexpr (kScaled && !kShared) {
      for (int r = first; r < last; ++r) multiply_tile(scores_ + r * kTileKeys, value_scales_);
    }
    for_row_blocks(first, last, [&]<int kRows>(int row) {
      // Keys that every row of the block sees are added together; the few that only some see, row by row.
      const Visible front = clip(visible_[row], tile);
      const Visible back = clip(visible_[row + kRows - 1], tile);
      if (back.begin >= front.end) {
        for (int m = 0; m < kRows; ++m) add_range<1>(row + m, tile, clip(visible_[row + m], tile));
        return;
      }
      for (int m = 0; m < kRows; ++m) add_range<1>(row + m, tile, {clip(visible_[row + m], tile).begin, back.begin});
      add_range<kRows>(row, tile, {back.begin, front.end});
      for (int m = 0; m < kRows; ++m) add_range<1>(row + m, tile, {front.end, clip(visible_[row + m], tile).end});
    });
  }

  /// Scores to weights; brings sums and weighted values to the new maxima.
  void weigh_tile(int64_t tile, int first, int last) {
    alignas(64) float next_max[kTileRows];
    alignas(64) float factors[kTileRows];
    for (int r = first; r < last; ++r) {
      const Visible keys = clip(visible_[r], tile);
      next_max[r] = bound_scores(scores_ + r * kTileKeys, static_cast<int>(keys.begin - tile),
                                 static_cast<int>(keys.end - tile), args_.soft_cap, max_[r]);
    }
    for (int r = first; r < last; r += kLanes) {
      const int count = last - r < kLanes ? last - r : kLanes;
      store_part(factors + r, exp(load_part(max_ + r, count) - load_part(next_max + r, count)), count);
    }
    for (int r = first; r < last; ++r) {
      if (next_max[r] != max_[r]) {
        max_[r] = next_max[r];
        const F32 factor = broadcast(factors[r]);
        float* const values = values_ + r * width_;
        store(sums_[r], load(sums_[r]) * factor);
        for (int d = 0; d < width_; d += kLanes) store(values + d, load(values + d) * factor);
      }
      weigh(scores_ + r * kTileKeys, max_[r], sums_[r]);
    }
  }

  static Visible clip(const Visible& keys, int64_t tile) {
    return {keys.begin < tile ? tile : keys.begin, keys.end > tile + kTileKeys ? tile + kTileKeys : keys.end};
  }

  template <typename K>
  void score(const K* const (&groups)[2], const K* const (&next)[2], int first, int last) {
    for_row_blocks(first, last, [&]<int kRows>(int row) {
      score_rows<K, kRows>(q_ + row * q_stride_, q_stride_, groups, next, head_dim_, scores_ + row * kTileKeys);
    });
  }

  const T* key_group(int64_t position) const {
    return reinterpret_cast<const T*>(head_part(position)) +
           key_element(layout_, head_dim_, static_cast<int>(position % args_.cache.block_size), 0);
  }

  const T* value_row(int64_t position) const {
    return reinterpret_cast<const T*>(head_part(position)) +
           value_element(layout_, args_.cache.block_size, head_dim_,
                         static_cast<int>(position % args_.cache.block_size));
  }

  /// Positions from `begin` that lie one after the other: to the end of the block or to `end`.
  int64_t run_end(int64_t begin, int64_t end) const {
    const int64_t block_end = (begin / args_.cache.block_size + 1) * args_.cache.block_size;
    return block_end < end ? block_end : end;
  }

  /// Asks for the keys and values of the next tile before `end`, the first that nobody reads: they may lie
  /// anywhere, which the processor cannot foresee.
  void prefetch(int64_t tile, int64_t end) const {
    if (end > tile + kTileKeys) end = tile + kTileKeys;
    for (int64_t begin = tile; begin < end; begin = run_end(begin, end)) {
      const int64_t positions = run_end(begin, end) - begin;
      prefetch_bytes(key_group(begin), positions * head_dim_ * static_cast<int64_t>(sizeof(T)));
      prefetch_bytes(value_row(begin), positions * layout_.value_stride * static_cast<int64_t>(sizeof(T)));
    }
  }

  static void prefetch_bytes(const T* from, int64_t bytes) {
    const char* line = reinterpret_cast<const char*>(from);
    for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(line + i, 0, 2);
  }

  template <int kRows>
  void add_range(int row, int64_t tile, const Visible& keys) {
    float* out = values_ + row * width_;
    for (int64_t begin = keys.begin, end; begin < keys.end; begin = end) {
      const float* weights = scores_ + row * kTileKeys + (begin - tile);
      if (staged_) {
        end = keys.end;
        const int stride = kShared ? shared_.stride : layout_.value_stride;
        const float* const values = staged_values_ + (begin - tile) * stride;
        add_values<float, kRows>(weights, values, stride, static_cast<int>(end - begin), width_, values, out, width_);
      } else {
        end = run_end(begin, keys.end);
        const T* const values = value_row(begin);
        const T* const next = begin + kTileKeys < end_ ? value_row(begin + kTileKeys) : values;
        add_values<T, kRows>(weights, values, layout_.value_stride, static_cast<int>(end - begin), width_, next, out,
                             width_);
      }
    }
  }

  void stage_keys(int64_t tile, const Visible& readable) {
    const int group = layout_.group;
    for (int64_t position = readable.begin / group * group; position < readable.end; position += group) {
      const T* from = key_group(position);
      const int offset = static_cast<int>(position - tile);
      float* to = staged_keys_ + offset / kKeyGroup * kKeyGroup * head_dim_ + offset % kKeyGroup;
      for (int d = 0; d < head_dim_; ++d, from += group, to += kKeyGroup) {
        if (group == kKeyGroup) {
          for (int j = 0; j < kKeyGroup; j += kLanes) store(to + j, load(from + j));
        } else {
          for (int j = 0; j < group; ++j) to[j] = to_float(from[j]);
        }
      }
    }
  }

  void stage_values(int64_t tile, const Visible& readable) {
    for (int64_t position = readable.begin; position < readable.end; ++position) {
      const T* from = value_row(position);
      float* to = staged_values_ + (position - tile) * layout_.value_stride;
      for (int d = 0; d < width_; d += kLanes) store(to + d, load(from + d));
    }
  }

  void stage_scales(int64_t tile, const Visible& readable) {
    for (int64_t begin = readable.begin, end; begin < readable.end; begin = end) {
      end = run_end(begin, readable.end);
      const float* from = reinterpret_cast<const float*>(head_part(begin) + layout_.scales);
      from += begin % args_.cache.block_size;
      const auto bytes = sizeof(float) * static_cast<size_t>(end - begin);
      std::memcpy(key_scales_ + (begin - tile), from, bytes);
      std::memcpy(value_scales_ + (begin - tile), from + args_.cache.block_size, bytes);
    }
  }

  const T* shared_row(int64_t position) const {
    return reinterpret_cast<const T*>(head_part(position)) + position % args_.cache.block_size * shared_.stride;
  }

  void prefetch_shared(int64_t tile, int64_t end) const {
    if (end > tile + kTileKeys) end = tile + kTileKeys;
    for (int64_t begin = tile; begin < end; begin = run_end(begin, end)) {
      prefetch_bytes(shared_row(begin),
                     (run_end(begin, end) - begin) * shared_.stride * static_cast<int64_t>(sizeof(T)));
    }
  }

  /// Keys, whose first elements are the values, as they are: scaled, and zeros behind them.
  void stage_shared(int64_t tile, const Visible& readable) {
    for (int64_t position = readable.begin; position < readable.end; ++position) {
      const T* from = shared_row(position);
      float* to = staged_values_ + (position - tile) * shared_.stride;
      for (int d = 0; d < shared_.stride; d += kLanes) store(to + d, load(from + d));
      if constexpr (kScaled) {
        const float* scales = reinterpret_cast<const float*>(head_part(position) + shared_.scales) +
                              position % args_.cache.block_size * 2;
        for (int d = 0; d < value_dim_; ++d) to[d] *= scales[0];
        for (int d = value_dim_; d < head_dim_; ++d) to[d] *= scales[1];
      }
      for (int d = head_dim_; d < shared_.stride; ++d) to[d] = 0.0F;
    }
  }

  const PagedAttentionArgs& args_;
  const int32_t* const table_;  // the blocks
  const KvHeadLayout layout_;
  const SharedRowLayout shared_;  // in its place, of kShared
  const int head_dim_;            // elements of a key
  const int value_dim_;
  const int width_;     // floats in a row of weighted values: value_dim in whole vectors
  const int q_stride_;  // floats in a row of queries
  const int kv_head_;
  const int rows_;
  const bool staged_;

  int64_t end_ = 0;  // where the keys end that rows of the tile at hand will read, in this split or the next

  // By row.
  const Sequence* sequence_[kTileRows];
  int64_t query_[kTileRows];
  int head_[kTileRows];
  int64_t context_[kTileRows];  // keys up to its own
  Visible visible_[kTileRows] = {};
  float max_[kTileRows];  // the largest score so far
  alignas(64) float sums_[kTileRows][kLanes];
  alignas(64) float q_[kTileRows * kMostDim];        // [rows, q_stride], times the scale
  alignas(64) float values_[kTileRows * kMostDim];   // [rows, width]
  alignas(64) float scores_[kTileRows * kTileKeys];  // [rows, keys]: scores, then weights
  // The tile's keys and values in f32, and what scales them.
  alignas(64) float staged_keys_[kShared ? 1 : kTileKeys * kMostDim];  // [2, head_dim, kKeyGroup]
  alignas(64) float staged_values_[kTileKeys * kMostDim];              // [keys, value_stride], or [keys, stride]
  alignas(64) float key_scales_[kScaled ? kTileKeys : 1];
  alignas(64) float value_scales_[kScaled ? kTileKeys : 1];
};

}  // namespace caravel::kernels::CARAVEL_ISA
