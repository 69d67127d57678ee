#include "kernels/paged_attention.h"

#include "kernels/cpu/isa/attention_rows.h"
#include "kernels/cpu/isa/attention_walk.h"
#include "kernels/cpu/isa/output_slice.h"

namespace caravel::kernels::CARAVEL_ISA {

void paged_attention(const PagedAttentionArgs& args, int rank, int size);
void paged_attention_finish(const PagedAttentionArgs& args, int rank, int size);

namespace {

/// A piece of work: a row tile of one KV head, with all of its splits or one.
struct Item {
  const Sequence* sequences;  // their rows are taken together, one sequence's after the other's
  int count;                  // more than 1 only for a split that all see whole, in the same blocks
  int kv_head;
  int64_t row_begin;
  int64_t row_end;
  int64_t split;  // -1: all
};

/// Calls function(item, cost) for every piece of the step, in a fixed order. Cost: keys times rows, and what reading a
/// key costs however few the rows are.
template <typename Function>
class ItemWalk {
 public:
  ItemWalk(const PagedAttentionArgs& args, const Function& function)
      : args_(args), function_(function), group_heads_(args.heads / args.cache.kv_heads) {}

  void run() const {
    ClusterWalk walk(args_);
    Cluster cluster;
    while (walk.next(cluster)) {
      for (int kv_head = 0; kv_head < args_.cache.kv_heads; ++kv_head) {
        if (cluster.count == 1) {
          one_sequence(cluster.members[0], kv_head);
        } else {
          together(cluster, kv_head);
        }
      }
    }
  }

 private:
  void one_sequence(const Sequence& s, int kv_head) const {
    const int64_t rows = s.queries * group_heads_;
    for (int64_t row = 0; row < rows; row += kTileRows) {
      const int64_t row_end = row + kTileRows < rows ? row + kTileRows : rows;
      const int64_t begin = visible_keys(args_, s.first_position + row / group_heads_).begin;
      const int64_t end = visible_keys(args_, s.first_position + (row_end - 1) / group_heads_).end;
      if (!s.is_split()) {
        emit({&s, 1, kv_head, row, row_end, -1}, end - begin);
        continue;
      }
      for (int64_t split = begin / kSplitKeys; split * kSplitKeys < end; ++split) {
        const int64_t from = split * kSplitKeys > begin ? split * kSplitKeys : begin;
        const int64_t to = (split + 1) * kSplitKeys < end ? (split + 1) * kSplitKeys : end;
        emit({&s, 1, kv_head, row, row_end, split}, to - from);
      }
    }
  }

  void together(const Cluster& cluster, int kv_head) const {
    const Sequence* const members = cluster.members;
    int64_t most = 0;
    for (int i = 0; i < cluster.count; ++i) most = members[i].splits > most ? members[i].splits : most;
    for (int64_t split = 0; split < most; ++split) {
      for (int first = 0, next; first < cluster.count; first = next) {
        next = first + 1;
        int64_t rows = members[first].queries * group_heads_;
        for (; next < cluster.count && members[next].shared_splits > split; ++next) {
          rows += members[next].queries * group_heads_;
        }
        if (split >= members[first].splits) continue;  // and so it is alone
        for (int64_t row = 0; row < rows; row += kTileRows) {
          const int64_t row_end = row + kTileRows < rows ? row + kTileRows : rows;
          emit({members + first, next - first, kv_head, row, row_end, split}, kSplitKeys);
        }
      }
    }
  }

  void emit(const Item& item, int64_t keys) const {
    constexpr int64_t kReadCost = 4;  // in rows
    function_(item, keys * (item.row_end - item.row_begin + kReadCost));
  }

  const PagedAttentionArgs& args_;
  const Function& function_;
  const int64_t group_heads_;
};

template <typename Function>
void for_items(const PagedAttentionArgs& args, const Function& function) {
  ItemWalk<Function>(args, function).run();
}

template <typename T, bool kShared>
void attend_share(const PagedAttentionArgs& args, int rank, int size) {
  int64_t total = 0;
  for_items(args, [&](const Item&, int64_t cost) { total += cost; });
  int64_t before = 0;
  for_items(args, [&](const Item& item, int64_t cost) {
    const int64_t owner = (2 * before + cost) * size / (2 * total);  // whose part the middle of the item falls in
    before += cost;
    if (owner != rank) return;
    RowTile<T, kShared> tile(args, item.sequences, item.count, item.kv_head, item.row_begin, item.row_end, item.split);
    if (item.split < 0) {
      tile.attend();
    } else {
      tile.attend_apart(item.split);
    }
  });
}

template <bool kShared>
void attend_share_of_dtype(const PagedAttentionArgs& args, int rank, int size) {
  switch (args.cache.dtype) {
    case KvDtype::kF16:
      return attend_share<F16, kShared>(args, rank, size);
    case KvDtype::kBF16:
      return attend_share<BF16, kShared>(args, rank, size);
    case KvDtype::kInt8:
      return attend_share<I8, kShared>(args, rank, size);
    case KvDtype::kF32:
      return attend_share<float, kShared>(args, rank, size);
    case KvDtype::kFp8:
      return;  // kv_layer_bytes() refuses it
  }
}

}  // namespace

void paged_attention(const PagedAttentionArgs& args, int rank, int size) {
  if (args.cache.value_dim > 0) return attend_share_of_dtype<true>(args, rank, size);
  attend_share_of_dtype<false>(args, rank, size);
}

/// Merges what was computed apart and brings all rows into the form that the next GEMM reads.
void paged_attention_finish(const PagedAttentionArgs& args, int rank, int size) {
  const int value_dim = value_elements(args.cache);
  const bool convert = args.out.form != InputForm::kF32;
  // A rank takes single heads, unless the output's blocks run across heads.
  const int unit_heads = convert && value_dim % kInputBlock != 0 ? args.heads : 1;
  const int64_t units = args.heads / unit_heads;
  const Share mine = share(args.q.rows * units, rank, size);
  const InputPlanes out = input_planes(args.out, rank);
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
          alignas(64) float values[kMaxSharedDim];
          SoftmaxState total = RowTile<float>::empty_state(values, value_dim);
          for (int64_t split = keys.begin / kSplitKeys; split * kSplitKeys < keys.end; ++split) {
            float* state = state_of(args, s, query, split, head);
            merge_state(total, {state, state[value_dim], state[value_dim + 1]}, value_dim);
          }
          RowTile<float>::finish_row(total, RowTile<float>::sink_of(args, head), value_dim,
                                     row + static_cast<int64_t>(head) * value_dim);
        }
      }
      if (convert) {
        const int64_t column = static_cast<int64_t>(head_begin) * value_dim;
        store_input_slice(out, token, column, static_cast<int64_t>(unit_heads) * value_dim, row + column);
      }
    }
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
