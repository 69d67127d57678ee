#include "kernels/pool_rows.h"

#include <algorithm>

#include "device/cpu/cpu_device.h"
#include "kernels/cpu/checks.h"

namespace caravel::kernels::cpu {
namespace {

constexpr int64_t kColumns = 64;  // that are pooled at a time

void pool_columns(const PoolRowsArgs& args, int64_t sequence, int64_t first, int64_t count) {
  const int64_t begin = args.starts[sequence];
  const int64_t end = args.starts[sequence + 1];
  const float* const rows = static_cast<const float*>(args.rows.data) + first;
  float* const out = args.out + sequence * args.rows.width + first;
  std::copy_n(rows + begin * args.rows.stride, count, out);
  if (args.pooling == Pooling::kMax) {
    for (int64_t r = begin + 1; r < end; ++r) {
      for (int64_t i = 0; i < count; ++i) out[i] = std::max(out[i], rows[r * args.rows.stride + i]);
    }
  } else if (args.pooling == Pooling::kMean) {
    double sums[kColumns] = {};
    for (int64_t r = begin; r < end; ++r) {
      for (int64_t i = 0; i < count; ++i) sums[i] += rows[r * args.rows.stride + i];
    }
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(sums[i] / static_cast<double>(end - begin));
  }
}

void pool_share(const PoolRowsArgs& args, int rank, int size) {
  const int64_t parts = (args.rows.width + kColumns - 1) / kColumns;
  const Range share = share_of(args.count * parts, rank, size);
  for (int64_t part = share.begin; part < share.end; ++part) {
    const int64_t first = part % parts * kColumns;
    pool_columns(args, part / parts, first, std::min(kColumns, args.rows.width - first));
  }
}

}  // namespace

void pool_rows(Stream& stream, const PoolRowsArgs& args) {
  check_f32(args.rows);
  as_cpu(stream).enqueue(pool_share, args);
}

}  // namespace caravel::kernels::cpu
