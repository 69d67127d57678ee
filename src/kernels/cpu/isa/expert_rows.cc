#include "kernels/expert_rows.h"

#include "kernels/cpu/isa/output_slice.h"
#include "kernels/cpu/isa/simd.h"

namespace caravel::kernels::CARAVEL_ISA {

void spread_rows(const SpreadRowsArgs& args, int rank, int size);
void join_rows(const JoinRowsArgs& args, int rank, int size);

namespace {

template <typename T>
void copy_row(T* plane, int64_t width, int64_t from, int64_t to) {
  __builtin_memcpy(plane + to * width, plane + from * width, static_cast<size_t>(width) * sizeof(T));
}

void copy_input_row(const InputPlanes& rows, int64_t from, int64_t to) {
  if (rows.form == InputForm::kF32) return copy_row(rows.f32, rows.width, from, to);
  copy_row(rows.q8, rows.width, from, to);
  copy_row(rows.scales, rows.width / kInputBlock, from, to);
  copy_row(rows.sums, rows.width / kInputBlock, from, to);
  copy_row(rows.totals, rows.width / (kInputBlock / 2), from, to);
}

/// Up to kLanes elements of a token, from column i on.
F32 joined(const JoinRowsArgs& args, int64_t t, int64_t i, int count) {
  const ExpertTable& table = args.table;
  F32 sum = zero();
  if (args.shared.data != nullptr) {
    sum = load_part(static_cast<const float*>(args.shared.data) + t * args.shared.stride + i, count);
    if (args.shared_gate.data != nullptr) {
      const float logit = static_cast<const float*>(args.shared_gate.data)[t * args.shared_gate.stride];
      sum = sum / (broadcast(1.0F) + exp(broadcast(-logit)));
    }
  }
  for (int64_t k = t * table.per_token; k < (t + 1) * table.per_token; ++k) {
    const float* row = static_cast<const float*>(args.rows.data) + table.rows[k] * args.rows.stride;
    sum = fma(broadcast(table.weights[k]), load_part(row + i, count), sum);
  }
  if (args.accumulate) {
    sum = sum + load_part(static_cast<const float*>(args.out.data) + t * args.out.stride + i, count);
  }
  return sum;
}

}  // namespace

/// A rank's share is a run of tokens.
void spread_rows(const SpreadRowsArgs& args, int rank, int size) {
  const InputPlanes out = input_planes(args.out, rank);
  const int64_t per_token = args.table.per_token;
  const Share tokens = share(args.table.tokens, rank, size);
  for (int64_t t = tokens.begin; t < tokens.end; ++t) {
    const int32_t* rows = args.table.rows + t * per_token;
    store_input_row(out, rows[0], static_cast<const float*>(args.x.data) + t * args.x.stride);
    for (int64_t k = 1; k < per_token; ++k) copy_input_row(out, rows[0], rows[k]);
  }
}

/// A rank's share is a run of slices of tokens.
void join_rows(const JoinRowsArgs& args, int rank, int size) {
  const int64_t width = args.out.width;
  const int64_t slices = (width + kSlice - 1) / kSlice;
  const Share mine = share(args.table.tokens * slices, rank, size);
  for (int64_t s = mine.begin; s < mine.end; ++s) {
    const int64_t t = s / slices;
    const int64_t begin = s % slices * kSlice;
    const int64_t end = begin + kSlice < width ? begin + kSlice : width;
    float* out = static_cast<float*>(args.out.data) + t * args.out.stride;
    for (int64_t i = begin; i < end; i += kLanes) {
      const int count = static_cast<int>(end - i < kLanes ? end - i : kLanes);
      store_part(out + i, joined(args, t, i, count), count);
    }
  }
}

}  // namespace caravel::kernels::CARAVEL_ISA
