#include "kernels/paged_attention.h"

#include "kernels/cpu/isa/attention_rows.h"
#include "kernels/cpu/isa/attention_walk.h"
#include "kernels/cpu/isa/output_slice.h"

namespace caravel::kernels::CARAVEL_ISA {

void paged_attention(const PagedAttentionArgs& args, int rank, int size);
void paged_attention_finish(const PagedAttentionArgs& args, int rank, int size);

namespace {

/// A piece of work: a row tile of one KV head, and of its splits all or one.
struct Item {
  const Sequence* sequence;
  int kv_head;
  int64_t row_begin;
  int64_t row_end;
  int64_t split;  // -1: all
};

/// Calls function(item, cost) for every piece of the step, in a fixed order. Cost: keys times rows, and what reading a
/// key costs however few the rows are.
template <typename Function>
void for_items(const PagedAttentionArgs& args, const Function& function) {
  constexpr int64_t kReadCost = 4;  // in rows
  const int64_t group_heads = args.heads / args.cache.kv_heads;
  SequenceWalk walk(args);
  Sequence s;
  while (walk.next(s)) {
    const int64_t rows = s.queries * group_heads;
    for (int kv_head = 0; kv_head < args.cache.kv_heads; ++kv_head) {
      for (int64_t row = 0; row < rows; row += kTileRows) {
        const int64_t row_end = row + kTileRows < rows ? row + kTileRows : rows;
        const int64_t weight = row_end - row + kReadCost;
        const int64_t begin = visible_keys(args, s.first_position + row / group_heads).begin;
        const int64_t end = visible_keys(args, s.first_position + (row_end - 1) / group_heads).end;
        if (!s.is_split()) {
          function(Item{&s, kv_head, row, row_end, -1}, (end - begin) * weight);
          continue;
        }
        for (int64_t split = begin / kSplitKeys; split * kSplitKeys < end; ++split) {
          const int64_t from = split * kSplitKeys > begin ? split * kSplitKeys : begin;
          const int64_t to = (split + 1) * kSplitKeys < end ? (split + 1) * kSplitKeys : end;
          function(Item{&s, kv_head, row, row_end, split}, (to - from) * weight);
        }
      }
    }
  }
}

template <typename T>
void attend_share(const PagedAttentionArgs& args, int rank, int size) {
  int64_t total = 0;
  for_items(args, [&](const Item&, int64_t cost) { total += cost; });
  int64_t before = 0;
  for_items(args, [&](const Item& item, int64_t cost) {
    const int64_t owner = (2 * before + cost) * size / (2 * total);  // whose part the middle of the item falls in
    before += cost;
    if (owner != rank) return;
    RowTile<T> tile(args, *item.sequence, item.kv_head, item.row_begin, item.row_end);
    if (item.split < 0) {
      tile.attend();
    } else {
      tile.attend_apart(item.split);
    }
  });
}

}  // namespace

void paged_attention(const PagedAttentionArgs& args, int rank, int size) {
  switch (args.cache.dtype) {
    case KvDtype::kF16:
      return attend_share<F16>(args, rank, size);
    case KvDtype::kBF16:
      return attend_share<BF16>(args, rank, size);
    case KvDtype::kInt8:
      return attend_share<I8>(args, rank, size);
    case KvDtype::kF32:
      return attend_share<float>(args, rank, size);
  }
}

/// Merges what was computed apart and brings all rows into the form that the next GEMM reads.
void paged_attention_finish(const PagedAttentionArgs& args, int rank, int size) {
  const int head_dim = args.cache.head_dim;
  const bool convert = args.out.form != InputForm::kF32;
  // A rank takes single heads, unless the output's blocks run across heads.
  const int unit_heads = convert && head_dim % kInputBlock != 0 ? args.heads : 1;
  const int64_t units = args.heads / unit_heads;
  const Share mine = share(args.batch.tokens * units, rank, size);
  SequenceWalk walk(args);
  Sequence s;
  while (walk.next(s)) {
    if (!convert && !s.is_split()) continue;
    const int64_t first = s.first_token * units;
    const int64_t begin = first > mine.begin ? first : mine.begin;
    const int64_t last = (s.first_token + s.queries) * units;
    const int64_t end = last < mine.end ? last : mine.end;
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t token = unit / units;
      const int head_begin = static_cast<int>(unit % units) * unit_heads;
      float* row = output_rows(args) + token * args.out.width;
      if (s.is_split()) {
        const int64_t query = token - s.first_token;
        const Visible keys = visible_keys(args, s.first_position + query);
        for (int head = head_begin; head < head_begin + unit_heads; ++head) {
          alignas(64) float values[kMaxHeadDim];
          SoftmaxState total = RowTile<float>::empty_state(values, head_dim);
          for (int64_t split = keys.begin / kSplitKeys; split * kSplitKeys < keys.end; ++split) {
            float* state = state_of(args, s, query, split, head);
            merge_state(total, {state, state[head_dim], state[head_dim + 1]}, head_dim);
          }
          RowTile<float>::finish_row(total, head_dim, row + static_cast<int64_t>(head) * head_dim);
        }
      }
      if (convert) {
        const int64_t column = static_cast<int64_t>(head_begin) * head_dim;
        store_input_slice(args.out, token, column, static_cast<int64_t>(unit_heads) * head_dim, row + column);
      }
    }
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
