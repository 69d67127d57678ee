#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/cuda/attention_copies.cuh"
#include "kernels/cuda/attention_queries.cuh"

namespace caravel::kernels::cuda {

/// 16 rows on tensor cores by 256 threads, keys and values of Elements (kv_elements.cuh), head_dim up to kDim. Each of
/// four warps has the scores of a quarter of a split's keys, and then the weighted values of a quarter of the elements,
/// over all keys; weights go through shared memory. kAlone: the block has an SM to itself, and may ask for more at a
/// time.
template <typename Elements, int kDim>
class AttentionMmaTile {
 public:
  static constexpr int kRows = 16;
  static constexpr bool kTakesTotals = true;
  static constexpr int kThreads = 256;
  static constexpr int kBlocks = kDim > 128 ? 1 : 2;  // that share an SM

  /// Of states that there is room for beside it.
  static constexpr int kStateBytes = (kDim > 128 ? 17 : 10) * 1024;

  __host__ __device__ static constexpr size_t shared_bytes(int /*head_dim*/) {
    return kSlots * kSlotBytes + sizeof(Exchange);
  }

  /// waited: for the kernel before; else begin() does, where it has done what it can before.
  __device__ AttentionMmaTile(const AttentionParams& params, std::byte* shared, bool waited)
      : params_(params),
        waited_(waited),
        lane_(static_cast<int>(threadIdx.x) % kWarp),
        warp_(static_cast<int>(threadIdx.x) / kWarp),
        copies_(params, static_cast<int>(threadIdx.x)),
        slots_(shared),
        exchange_(*reinterpret_cast<Exchange*>(shared + kSlots * kSlotBytes)) {
    // What copies leave out of a row: its end, where head_dim is less than kDim.
    if (params.layout.row_bytes < Copies::kRowBytes) {
      for (int i = static_cast<int>(threadIdx.x); i < kSlots * kSlotBytes / 16; i += kThreads) {
        reinterpret_cast<uint4*>(slots_)[i] = make_uint4(0, 0, 0, 0);
      }
    }
  }

  /// Begins anew with other rows, which are to see keys of `count` splits: `first` and each `step` after it, of these
  /// what lies in `seen`. attend() takes them in turn.
  __device__ void begin(const AttentionRows& rows, const Visible& seen, int first, int step, int count) {
    rows_ = rows;
    seen_ = seen;
    first_ = first;
    step_ = step;
    items_ = 2 * count;
    next_ = 0;
    done_ = 0;
    __syncthreads();
    if (!waited_ && !can_be_early()) wait_before();
    QueryWords words;
    if (waited_) {
      read_queries(words);  // first: they would come behind all keys
      load_first_items();
    } else {
      load_first_items();
      wait_and_complete(words);
    }
    store_queries(words);
    __syncthreads();
    load_queries();
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      visible_[i] = rows.visible(params_, min(lane_ / 4 + 8 * i, rows.count - 1));
      total_max_[i] = -__builtin_inff();
      total_sum_[i] = 0.0F;
    }
    inner_ = {rows.visible(params_, rows.count - 1).begin, rows.visible(params_, 0).end};
#pragma unroll
    for (int n = 0; n < kColumnTiles; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) totals_[n][e] = 0.0F;
    }
  }

  /// The next split, whose state is there then.
  __device__ void attend() {
    const int split = first_ + done_ / 2 * step_;
    const std::byte* const keys = next_slot();
    float scores[kKeyTiles][4];
    score(scores, keys);
    mask(scores, split * kSplitKeys);
    float most[2] = {-__builtin_inff(), -__builtin_inff()};
#pragma unroll
    for (int n = 0; n < kKeyTiles; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) most[e / 2] = fmaxf(most[e / 2], scores[n][e]);
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      most[i] = row_largest(most[i]);
      if (lane_ % 4 == 0) exchange_.largest[warp_][lane_ / 4 + 8 * i] = most[i];
    }
    __syncthreads();
    float base[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int r = lane_ / 4 + 8 * i;
#pragma unroll
      for (int w = 0; w < kWarps; ++w) most[i] = fmaxf(most[i], exchange_.largest[w][r]);
      max_[i] = split_max(most[i], params_.scores.factor);
      base[i] = weight_base(max_[i]);
    }
    exchange_weights(scores, base, scales(keys) + kSplitKeys);
    const std::byte* const values = next_slot();  // all are done with the exchange, too
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float parts[kWarps];
#pragma unroll
      for (int w = 0; w < kWarps; ++w) parts[w] = exchange_.sums[w][lane_ / 4 + 8 * i][lane_ % 4];
      sum_[i] = row_sum(parts);
    }
    weigh_values(values);
  }

  /// The split's state joins the totals.
  __device__ void join_totals() {
    MergeFactors factors[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      factors[i] = merge_max(total_max_[i], max_[i]);
      total_sum_[i] = merge(total_sum_[i], sum_[i], factors[i]);
    }
#pragma unroll
    for (int n = 0; n < kColumnTiles; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) totals_[n][e] = merge(totals_[n][e], values_[n][e], factors[e / 2]);
    }
  }

  /// The split's state, by a StateRoute.
  template <typename Route>
  __device__ void send_state(const Route& route) const {
    static_assert(kWarps * 4 >= kMaxSharers);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int r = lane_ / 4 + 8 * i;
      if (r >= rows_.count) continue;
#pragma unroll
      for (int n = 0; n < kColumnTiles; ++n) {
        const int d = column(n);
        if (d < params_.cache.head_dim) route.send(r, d, pair_at(values_, n, i));
      }
      const int block = warp_ * 4 + lane_ % 4;  // all threads have the rows' sums
      if (block < route.blocks) route.send_row(r, block, max_[i], sum_[i]);
    }
  }

  /// The totals, by themselves: pairs of elements [rows, head_dim / 2], and of each row its largest score and sum.
  __device__ void put_totals(float2* pairs, float2* rows) const {
    const int half = params_.cache.head_dim / 2;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int r = lane_ / 4 + 8 * i;
      if (r >= rows_.count) continue;
#pragma unroll
      for (int n = 0; n < kColumnTiles; ++n) {
        if (column(n) < 2 * half) pairs[r * half + column(n) / 2] = pair_at(totals_, n, i);
      }
      if (warp_ == 0 && lane_ % 4 == 0) rows[r] = {total_max_[i], total_sum_[i]};
    }
  }
  /// Goes on from such totals of the same rows; after begin().
  __device__ void take_totals(const float2* pairs, const float2* rows) {
    const int half = params_.cache.head_dim / 2;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int r = lane_ / 4 + 8 * i;
      if (r >= rows_.count) continue;
#pragma unroll
      for (int n = 0; n < kColumnTiles; ++n) {
        if (column(n) >= 2 * half) continue;
        const float2 pair = pairs[r * half + column(n) / 2];
        totals_[kWidens ? n & ~1 : n][2 * i + (kWidens ? n % 2 : 0)] = pair.x;
        totals_[kWidens ? n | 1 : n][2 * i + (kWidens ? n % 2 : 1)] = pair.y;
      }
      total_max_[i] = rows[r].x;
      total_sum_[i] = rows[r].y;
    }
  }

  __device__ void store_totals() const {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int r = lane_ / 4 + 8 * i;
      if (r >= rows_.count) continue;
      const int64_t row = rows_.output(params_, r);
      const float inverse = inverse_of_row(params_, rows_, r, total_sum_[i], total_max_[i]);
#pragma unroll
      for (int n = 0; n < kColumnTiles; ++n) {
        const int d = column(n);
        if (d >= params_.cache.head_dim) continue;
        store_output(params_, row + d, pair_at(totals_, n, i), inverse);
      }
    }
  }

 private:
  using T = typename Elements::Product;
  using Copies = SplitCopies<Elements, kDim, kThreads>;
  static constexpr bool kWidens = Elements::kBytes == 1;
  static constexpr int kSlotBytes =
      Copies::kImageBytes + Copies::kScaleBytes;  // the scales are those of the keys' slot
  static constexpr int kWarps = kThreads / kWarp;
  // Of a split's keys, or values: of all blocks of an SM together nearly all there is.
  static constexpr int kSlots = (kDim > 128 ? 128 : 96) * 1024 / kSlotBytes;
  static constexpr int kKeyTiles = kSplitKeys / kWarps / 8;
  static constexpr int kColumnTiles = kDim / kWarps / 8;
  static constexpr bool kQueriesInRegisters = kDim <= 128;
  struct Exchange {
    uint4 weights[kSplitKeys / 16][kWarp];  // as the next product's operand, of 16 keys each
    float sums[kWarps][kRows][4];           // of each warp's keys, a lane's part
    float largest[kWarps][kRows];
    uint4 queries[kQueriesInRegisters ? 1 : kRows * kDim / 8];
  };
  static constexpr int kRowLanes = Copies::kRowBytes / 16;
  // Rows lie with all threads by words of two elements, in turn.
  static constexpr int kRowWords = kDim / 2;
  using QueryWords = uint32_t[kRows * kRowWords / kThreads];

  /// Where pair n of a lane's elements lies in a row; widened elements alternate between two tiles.
  __device__ int column(int n) const {
    const int within = kWidens ? n / 2 * 16 + 4 * (lane_ % 4) + n % 2 * 2 : 8 * n + 2 * (lane_ % 4);
    return warp_ * (kDim / kWarps) + within;
  }
  __device__ static float2 pair_at(const float (&sums)[kColumnTiles][4], int n, int i) {
    if constexpr (kWidens) return {sums[n & ~1][2 * i + n % 2], sums[n | 1][2 * i + n % 2]};
    return {sums[n][2 * i], sums[n][2 * i + 1]};
  }

  /// Its number, as something that the compiler does not know: addresses are to be worked out where they are used, not
  /// kept in registers.
  __device__ static int this_thread() {
    auto thread = static_cast<int>(threadIdx.x);
    asm volatile("" : "+r"(thread));
    return thread;
  }

  __device__ void wait_before() {
    wait_for_kernel_before();
    waited_ = true;
  }

  /// The kernel before writes rows, and the keys and values of their tokens, of which threads have a chunk each.
  __device__ bool can_be_early() const { return !Elements::kScaled && rows_.sequence.queries <= kThreads / kRowLanes; }

  /// Waits for it, and reads what it wrote: the rows, and where keys and values that were asked for are theirs, those
  /// anew, in place of what came.
  __device__ void wait_and_complete(QueryWords& words) {
    const int first_late = rows_.sequence.first_position;
    const int thread = this_thread();
    const int position = first_late + thread / kRowLanes;
    const int chunk = thread % kRowLanes;
    const std::byte* row = nullptr;
    if (position < seen_.end && chunk < params_.layout.row_bytes / 16) {
      const BlockPlace place = place_of(params_, position);
      row = head_part(params_, rows_.sequence.table[place.block], rows_.kv_head) +
            place.offset * params_.layout.row_bytes + 16 * chunk;
    }
    wait_before();
    read_queries(words);
#pragma unroll
    for (int item = 0; item < kSlots - 1; item += 2) {
      const int begin = (first_ + item / 2 * step_) * kSplitKeys;
      if (item >= items_ || begin + kSplitKeys <= first_late || begin >= seen_.end) continue;
      const bool mine = row != nullptr && position >= begin && position < begin + kSplitKeys;
      uint4 key{};
      uint4 value{};
      if (mine) {
        key = *reinterpret_cast<const uint4*>(row);
        value = *reinterpret_cast<const uint4*>(row + params_.layout.values);
      }
      wait_copies<0>();
      __syncthreads();
      if (!mine) continue;
      std::byte* const place = slots_ + item * kSlotBytes + chunk_at(kSplitKeys, position - begin, chunk);
      *reinterpret_cast<uint4*>(place) = key;
      if (item + 1 < kSlots - 1) *reinterpret_cast<uint4*>(place + kSlotBytes) = value;
    }
  }

  /// Rows that all warps' fragments are made of. Where fragments stay in registers, this is where weights will be.
  __device__ std::byte* stored_queries() const {
    return reinterpret_cast<std::byte*>(kQueriesInRegisters ? &exchange_.weights[0][0] : exchange_.queries);
  }

  __device__ void read_queries(QueryWords& words) const {
    const int thread = this_thread();
    const int word = thread % kRowWords;
#pragma unroll
    for (int i = 0; i < kRows * kRowWords / kThreads; ++i) {
      const int r = (i * kThreads + thread) / kRowWords;
      const bool there = r < rows_.count && 2 * word < params_.cache.head_dim;
      words[i] = query_pair<T>(rows_.queries(params_, r) + 2 * word, there);
    }
  }

  __device__ void store_queries(const QueryWords& words) {
    static_assert(!kQueriesInRegisters || sizeof(exchange_.weights) >= kRows * kDim * 2);
    const int thread = this_thread();
    const int word = thread % kRowWords;
#pragma unroll
    for (int i = 0; i < kRows * kRowWords / kThreads; ++i) {
      const int r = (i * kThreads + thread) / kRowWords;
      *reinterpret_cast<uint32_t*>(stored_queries() + chunk_at(kRows, r, word / 4) + word % 4 * 4) = words[i];
    }
  }

  __device__ void load_queries() {
    if constexpr (kQueriesInRegisters) {
      const int lane = this_thread() % kWarp;
#pragma unroll
      for (int k = 0; k < kDim / 16; ++k) load_query(k, lane, queries_[k]);
    }
  }

  __device__ void load_query(int k, int lane, uint32_t (&fragment)[4]) const {
    const std::byte* const rows = stored_queries();
    if constexpr (kWidens) {
      // Of 16 elements each key's lane has four that lie beside each other where they are bytes.
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const uint2 four = *reinterpret_cast<const uint2*>(
            rows + chunk_at(kRows, lane / 4 + 8 * i, 2 * k + lane % 4 / 2) + lane % 2 * 8);
        fragment[i] = four.x;
        fragment[i + 2] = four.y;
      }
    } else {
      load_matrices(fragment, rows + chunk_at(kRows, lane % 16, 2 * k + lane / 16));
    }
  }

  __device__ void query(int k, uint32_t (&fragment)[4]) const {
    if constexpr (kQueriesInRegisters) {
#pragma unroll
      for (int j = 0; j < 4; ++j) fragment[j] = queries_[k][j];
    } else {
      load_query(k, lane_, fragment);
    }
  }

  /// Items are the keys of a split, its values, the keys of the next.
  __device__ void load_next() {
    if (next_ < items_) {
      std::byte* const slot = slots_ + next_ % kSlots * kSlotBytes;
      const bool values = next_ % 2 == 1;
      if (!values) {
        copies_.look_up(rows_, seen_, first_ + next_ / 2 * step_);
        copies_.enter(rows_.kv_head);
        if constexpr (Elements::kScaled) copies_.copy_scales(scales(slot));
      }
      copies_.copy(slot, values);
    }
    ++next_;
    commit_copies();
  }

  __device__ void load_first_items() {
#pragma unroll 1
    for (int i = 0; i < kSlots - 1; ++i) load_next();
  }

  /// The next item, once it is there for all; what was read of the one before it is replaced.
  __device__ const std::byte* next_slot() {
    wait_copies<kSlots - 2>();
    __syncthreads();
    load_next();
    return slots_ + done_++ % kSlots * kSlotBytes;
  }

  template <typename Byte>
  __device__ static auto scales(Byte* slot) {
    using Scale = std::conditional_t<std::is_const_v<Byte>, const float, float>;
    return reinterpret_cast<Scale*>(slot + Copies::kImageBytes);
  }

  /// The first of two keys whose scores of tile n a lane has.
  __device__ int key_of(int n) const { return (warp_ * kKeyTiles + n) * 8 + 2 * (lane_ % 4); }

  /// Products of queries and keys, 8 keys a tile.
  __device__ void score(float (&scores)[kKeyTiles][4], const std::byte* keys) const {
#pragma unroll
    for (int n = 0; n < kKeyTiles; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) scores[n][e] = 0.0F;
    }
    constexpr int kStep = 64 / Elements::kBytes;  // elements of four matrices
#pragma unroll
    for (int d = 0; d < kDim; d += kStep) {
      uint32_t a[kStep / 16][4];
#pragma unroll
      for (int k = 0; k < kStep / 16; ++k) query(d / 16 + k, a[k]);
#pragma unroll
      for (int n = 0; n < kKeyTiles; ++n) {
        uint32_t b[4];
        load_matrices(b, keys + chunk_at(kSplitKeys, (warp_ * kKeyTiles + n) * 8 + lane_ % 8,
                                         d * Elements::kBytes / 16 + lane_ / 8));
        if constexpr (kWidens) {
#pragma unroll
          for (int k = 0; k < 4; ++k) {
            uint32_t low;
            uint32_t high;
            Elements::widen(b[k], low, high);
            multiply_add<T>(scores[n], a[k], low, high);
          }
        } else {
          multiply_add<T>(scores[n], a[0], b[0], b[1]);
          multiply_add<T>(scores[n], a[1], b[2], b[3]);
        }
      }
    }
    if constexpr (Elements::kScaled) {
#pragma unroll
      for (int n = 0; n < kKeyTiles; ++n) {
        const float2 scale = *reinterpret_cast<const float2*>(scales(keys) + key_of(n));
#pragma unroll
        for (int e = 0; e < 4; ++e) scores[n][e] = __fmul_rn(scores[n][e], e % 2 == 0 ? scale.x : scale.y);
      }
    }
    if (params_.scores.soft_cap > 0.0F) {
#pragma unroll
      for (int n = 0; n < kKeyTiles; ++n) {
#pragma unroll
        for (int e = 0; e < 4; ++e) scores[n][e] = params_.scores.cap(scores[n][e]);
      }
    }
  }

  __device__ void mask(float (&scores)[kKeyTiles][4], int begin) const {
    if (begin >= inner_.begin && begin + kSplitKeys <= inner_.end) return;
#pragma unroll
    for (int n = 0; n < kKeyTiles; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int key = begin + key_of(n) + e % 2;
        if (key < visible_[e / 2].begin || key >= visible_[e / 2].end) scores[n][e] = -__builtin_inff();
      }
    }
  }

  __device__ void exchange_weights(float (&scores)[kKeyTiles][4], const float (&base)[2], const float* value_scales) {
    static_assert(kKeyTiles == 2);
    float sums[2];
#pragma unroll
    for (int n = 0; n < kKeyTiles; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) scores[n][e] = weight_of(scores[n][e], params_.scores.factor, base[e / 2]);
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      sums[i] = __fadd_rn(__fadd_rn(scores[0][2 * i], scores[0][2 * i + 1]),
                          __fadd_rn(scores[1][2 * i], scores[1][2 * i + 1]));
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) exchange_.sums[warp_][lane_ / 4 + 8 * i][lane_ % 4] = sums[i];
#pragma unroll
    for (int k = 0; k < kKeyTiles / 2; ++k) {
      uint32_t packed[4];
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const float* const pair = scores[2 * k + j / 2] + 2 * (j % 2);
        if constexpr (Elements::kScaled) {
          const float2 scale = *reinterpret_cast<const float2*>(value_scales + key_of(2 * k + j / 2));
          packed[j] = pack_pair<T>(__fmul_rn(pair[0], scale.x), __fmul_rn(pair[1], scale.y));
        } else {
          packed[j] = pack_pair<T>(pair[0], pair[1]);
        }
      }
      exchange_.weights[warp_ * kKeyTiles / 2 + k][lane_] = make_uint4(packed[0], packed[1], packed[2], packed[3]);
    }
  }

  __device__ void weigh_values(const std::byte* values) {
#pragma unroll
    for (int n = 0; n < kColumnTiles; ++n) {
#pragma unroll
      for (int e = 0; e < 4; ++e) values_[n][e] = 0.0F;
    }
#pragma unroll
    for (int k = 0; k < kSplitKeys / 32; ++k) {
      uint32_t weights[2][4];
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const uint4 packed = exchange_.weights[2 * k + i][lane_];
        weights[i][0] = packed.x, weights[i][1] = packed.y, weights[i][2] = packed.z, weights[i][3] = packed.w;
      }
      constexpr int kTiles = 2 / Elements::kBytes;  // of 16 bytes a key
#pragma unroll
      for (int n = 0; n < kColumnTiles; n += kTiles) {
        uint32_t b[4];
        load_matrices_transposed(b, values + chunk_at(kSplitKeys, 32 * k + lane_, (warp_ * kColumnTiles + n) / kTiles));
        if constexpr (kWidens) {
          uint32_t even[4];
          uint32_t odd[4];
#pragma unroll
          for (int j = 0; j < 4; ++j) Elements::widen(__byte_perm(b[j], 0, 0x3120), even[j], odd[j]);
          multiply_add<T>(values_[n], weights[0], even[0], even[1]);
          multiply_add<T>(values_[n], weights[1], even[2], even[3]);
          multiply_add<T>(values_[n + 1], weights[0], odd[0], odd[1]);
          multiply_add<T>(values_[n + 1], weights[1], odd[2], odd[3]);
        } else {
          multiply_add<T>(values_[n], weights[0], b[0], b[1]);
          multiply_add<T>(values_[n], weights[1], b[2], b[3]);
        }
      }
    }
  }

  const AttentionParams& params_;
  bool waited_;  // for the kernel before
  AttentionRows rows_;
  const int lane_;
  const int warp_;
  Copies copies_;
  std::byte* const slots_;
  Exchange& exchange_;
  Visible seen_;  // by any row
  // Of splits: the first one, and from one to the next.
  int first_;
  int step_;
  // Items: how many there are, were asked for, and were taken.
  int items_;
  int next_;
  int done_;
  uint32_t queries_[kQueriesInRegisters ? kDim / 16 : 1][4];
  Visible inner_;  // what all rows see

  // Of rows lane / 4 and lane / 4 + 8.
  Visible visible_[2];
  float max_[2];  // of the split
  float sum_[2];
  float total_max_[2];
  float total_sum_[2];
  float values_[kColumnTiles][4];
  float totals_[kColumnTiles][4];  // as values_, of the splits before
};

}  // namespace caravel::kernels::cuda
